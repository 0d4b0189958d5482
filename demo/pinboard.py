"""The sixty pictures that the members of the demo have saved."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Saved:
    title: str
    alt: str
    motif: str
    palette: str
    ratio: float
    origin: str


PICTURES = [
    Saved("Evening over the flats", "Red and orange hills in layers under a low sun", "hills", "kiln", 1.25, "https://landscapes.example/evening-flats"),
    Saved("Setting, striped", "A pale sun cut into stripes above a dark sea", "sun_bands", "harbour", 1.0, "https://posters.example/setting-striped"),
    Saved("Mobile for a stairwell", "Overlapping discs in green, yellow and red with black lines", "circles", "orchard", 0.8, "https://objects.example/mobile"),
    Saved("A letter to keep", "One large white letter on pink with a dark shadow", "letter", "dusk", 1.25, "https://letters.example/keep"),
    Saved("Specimen sheet, red rule", "Lines of type in black and red on white", "specimen", "press", 1.25, "https://foundry.example/red-rule"),
    Saved("Dots that become a sphere", "Green halftone dots growing towards the middle", "halftone", "moss", 0.8, "https://halftones.example/sphere"),
    Saved("Tiles from a station floor", "Winding bands of yellow, blue and orange on navy", "truchet", "noon", 1.25, "https://tiles.example/station"),
    Saved("Quilt for a cold room", "Brown, cream and green quarter circles in a grid", "quarters", "clay", 1.0, "https://textiles.example/quilt"),
    Saved("North Sea, calm", "Rows of blue waves under a pink sky and a white sun", "waves", "frost", 0.8, "https://landscapes.example/north-sea"),
    Saved("Ash twig in October", "A branch with blue and gold leaves on a dark ground", "branch", "night", 1.25, "https://herbarium.example/ash"),
    Saved("Record sleeve, unnamed band", "Concentric rings in plum, pink and cream", "rings", "plum", 1.0, "https://sleeves.example/unnamed"),
    Saved("The street behind the depot", "Dark gabled houses with lit windows against an orange sky", "houses", "slate", 0.8, "https://towns.example/depot"),
    Saved("Chart for a short night", "Thin lines joining pale stars on a brown sky", "stars", "kiln", 1.25, "https://charts.example/short-night"),
    Saved("Blue vase, borrowed flowers", "A blue vase with round flowers before a yellow wall", "vase", "harbour", 1.0, "https://still-lives.example/blue-vase"),
    Saved("Pears waiting", "Green and yellow pears in a row on a red table", "fruit", "orchard", 0.8, "https://still-lives.example/pears"),
    Saved("Shoal, wrapping paper", "Rows of white and orange fish on violet", "fish", "dusk", 1.25, "https://papers.example/shoal"),
    Saved("Basket, seen from above", "Red and grey bands woven over and under", "weave", "press", 1.0, "https://textiles.example/basket"),
    Saved("First snow on the ridge", "Green mountains with white tips and a pale sun", "mountain", "moss", 0.8, "https://landscapes.example/ridge"),
    Saved("Noon, no shade", "Yellow and blue hills under an orange sun", "hills", "noon", 0.8, "https://landscapes.example/noon"),
    Saved("Sunrise for a matchbox", "A round sun in bands of brown and green", "sun_bands", "clay", 1.25, "https://matchboxes.example/sunrise"),
    Saved("Score for three drums", "Blue and pink circles with diagonal sticks", "circles", "frost", 1.0, "https://posters.example/three-drums"),
    Saved("Enamel sign, one letter", "One large dark letter on a blue ground", "letter", "night", 1.25, "https://signs.example/enamel"),
    Saved("Proof in plum", "Lines of type in plum and pink", "specimen", "plum", 1.25, "https://foundry.example/plum"),
    Saved("Newspaper moon", "Grey halftone dots around a ring of orange", "halftone", "slate", 1.0, "https://halftones.example/moon"),
    Saved("Garden maze, plan", "Curved paths in red and orange on brown", "truchet", "kiln", 1.0, "https://plans.example/maze"),
    Saved("Azulejo, half remembered", "Blue, white and yellow quarter circles", "quarters", "harbour", 1.25, "https://tiles.example/azulejo"),
    Saved("River in flood", "Rows of green and yellow waves", "waves", "orchard", 1.25, "https://landscapes.example/flood"),
    Saved("Fern, pressed 1962", "A branch with violet and pink leaves on a pale ground", "branch", "dusk", 1.25, "https://herbarium.example/fern"),
    Saved("Target practice", "Concentric rings in red, grey and white", "rings", "press", 0.8, "https://signs.example/target"),
    Saved("Hill town, shutters closed", "Green and cream gabled houses in three rows", "houses", "moss", 1.0, "https://towns.example/shutters"),
    Saved("Stars over the brickworks", "Pale stars and thin lines on a deep blue sky", "stars", "noon", 0.8, "https://charts.example/brickworks"),
    Saved("Tulips, day five", "A brown vase with round flowers on a green cloth", "vase", "clay", 1.25, "https://still-lives.example/tulips"),
    Saved("Market stall, closing time", "Blue pears on a pink table", "fruit", "frost", 1.0, "https://still-lives.example/market"),
    Saved("Tin lid with fish", "Rows of gold and cream fish on a gold ground", "fish", "night", 1.0, "https://papers.example/tin-lid"),
    Saved("Chair seat, cane", "Plum and pink bands in a weave", "weave", "plum", 0.8, "https://textiles.example/cane"),
    Saved("The pass in November", "Grey mountains with white tips under a pale sky", "mountain", "slate", 1.25, "https://landscapes.example/pass"),
    Saved("Vineyards from the train", "Green and yellow hills in soft layers", "hills", "orchard", 1.0, "https://landscapes.example/vineyards"),
    Saved("Ticket, second class", "A sun in stripes of violet and pink", "sun_bands", "dusk", 0.8, "https://ephemera.example/ticket"),
    Saved("Ampersand on a barn", "One large ampersand in cream with a red shadow", "ampersand", "kiln", 1.0, "https://signs.example/barn"),
    Saved("Lowercase k, elbows out", "One large letter in white on grey", "letter", "slate", 1.0, "https://letters.example/counters"),
    Saved("Type for timetables", "Lines of type in navy and blue", "specimen", "frost", 1.0, "https://foundry.example/timetables"),
    Saved("Rain on a screen door", "Red halftone dots fading to the corners", "halftone", "press", 1.25, "https://halftones.example/rain"),
    Saved("Wallpaper, children's room", "Curved bands in pink and plum", "truchet", "plum", 0.8, "https://papers.example/children"),
    Saved("Sample board, spring", "Green, sand and cream quarter circles", "quarters", "moss", 1.25, "https://tiles.example/spring"),
    Saved("Ferry, upper deck", "Rows of blue waves, orange sky", "waves", "noon", 1.0, "https://landscapes.example/ferry"),
    Saved("Olive, two years old", "A branch with brown and grey leaves", "branch", "clay", 1.25, "https://herbarium.example/olive"),
    Saved("Tree rings, a guess", "Concentric rings in green and yellow", "rings", "orchard", 1.25, "https://diagrams.example/tree-rings"),
    Saved("Harbour front, low tide", "Blue gabled houses with yellow windows", "houses", "harbour", 1.25, "https://towns.example/harbour"),
    Saved("Lost constellation", "Stars joined by thin lines on violet", "stars", "dusk", 1.0, "https://charts.example/lost"),
    Saved("Dried honesty", "A red vase with pale round seed heads", "vase", "kiln", 1.25, "https://still-lives.example/honesty"),
    Saved("Five pears, one shadow", "Plum and pink pears in a row", "fruit", "plum", 0.8, "https://still-lives.example/five"),
    Saved("Aquarium wall", "Rows of small fish on deep green", "fish", "moss", 0.8, "https://papers.example/aquarium"),
    Saved("Deck chair", "Blue and orange bands woven together", "weave", "noon", 1.25, "https://textiles.example/deck-chair"),
    Saved("Glacier, postcard size", "Blue mountains with white tips", "mountain", "frost", 0.8, "https://landscapes.example/glacier"),
    Saved("Dunes before rain", "Brown and sand-coloured hills", "hills", "clay", 1.25, "https://landscapes.example/dunes"),
    Saved("Kiosk, three suns", "Dark bands across a golden sun", "sun_bands", "night", 1.0, "https://posters.example/kiosk"),
    Saved("Five notes and a rest", "Black, red and grey circles with lines", "circles", "press", 1.25, "https://posters.example/five-notes"),
    Saved("Door plate, dentist", "One large white letter on pale teal", "letter", "harbour", 1.0, "https://signs.example/dentist"),
    Saved("And, in wood", "One large ampersand, white on grey-green", "ampersand", "moss", 1.25, "https://letters.example/and-in-wood"),
    Saved("Swimming pool, floor plan", "Blue and yellow quarter circles", "quarters", "noon", 0.8, "https://plans.example/pool"),
]  # fmt: skip
