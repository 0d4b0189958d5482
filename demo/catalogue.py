"""The thirty things in the shop of the demo."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Item:
    name: str
    price: str
    stock: int | None
    form: str
    motif: str
    palette: str
    alt: str
    description: str
    vat: str = "19"
    weight: int = 120
    digital: bool = False


CATALOGUE: dict[str, list[Item]] = {
    "Notebooks": [
        Item("Plain Notebook A5", "14.50", 64, "notebook", "plain", "kiln", "Red notebook with a dark cloth spine and a paper label",
             "Ninety-six pages of 100 g uncoated paper, thread-sewn so that it stays open where you leave it.\n\nThe cover is dyed through; scratches stay red.", weight=280),
        Item("Dot Grid Notebook A5", "15.50", 41, "notebook", "plain", "harbour", "Blue-grey notebook with a dark spine and a paper label",
             "The same book as the plain one, with a five-millimetre grid of dots printed in a grey that photocopiers do not see.", weight=280),
        Item("Pocket Notebooks, Set of Three", "12.00", 120, "notebook_set", "quarters", "orchard", "Three overlapping pocket notebooks with covers of quarter circles",
             "Three times forty-eight pages, stapled twice, trimmed on three sides. One for the coat, one for the kitchen, one to give away.", weight=150),
        Item("Sketchbook, Stone Blue", "24.00", 18, "notebook", "plain", "frost", "Dark blue sketchbook with a label",
             "Sixty-four leaves of 160 g paper with a tooth. Takes ink and a light wash of water colour; says so honestly when it is too much.", weight=520),
        Item("Long-Stitch Journal", "32.00", 7, "notebook", "weave", "clay", "Journal with a woven pattern on the cover",
             "Sewn through the spine with waxed linen thread, six sections, no glue at all. Each takes us an hour and a half.\n\nThe pattern on the cover is printed from two blocks.", weight=340),
        Item("Weekly Planner 2027", "19.00", 35, "notebook", "sun_bands", "noon", "Planner with a striped sun on the cover",
             "A week to a spread, Monday first, with the moon and without inspirational sentences.", weight=300),
        Item("Music Manuscript Book", "13.00", 0, "notebook", "plain", "plum", "Plum-coloured book with a label",
             "Twelve staves a page, forty pages, ruled by us with a five-pointed pen and then reproduced with every wobble.", weight=200),
    ],
    "Prints": [
        Item("Ampersand, Two Colours", "38.00", 22, "framed_print", "ampersand", "kiln", "Framed print of one large ampersand",
             "Printed on the proofing press in two runs. The frame in the picture is ours and stays here.\n\n* Sheet 30 by 40 cm\n* 280 g cotton paper\n* edition of 60, numbered", "7"),
        Item("Hill Country", "42.00", 15, "framed_print", "hills", "moss", "Framed print of green hills under a pale sky",
             "Four layers of green, mixed on the day. No two copies agree about the third hill.", "7"),
        Item("Three Pears", "36.00", 9, "loose_print", "fruit", "noon", "Print of pears on an orange table",
             "A linocut in five colours, cut from one block until nothing was left of it. There will be no second edition.", "7"),
        Item("Snow Line", "42.00", 26, "loose_print", "mountain", "dusk", "Print of two purple mountains with snow on top",
             "Drawn from a train window between two tunnels, finished from memory.", "7"),
        Item("Alphabet Poster", "28.00", 80, "loose_print", "specimen", "kiln", "Poster with lines of type in different sizes",
             "Every typeface we own, largest first. Useful for choosing, better for looking at.", "7"),
        Item("Tide Table", "34.00", 30, "framed_print", "waves", "frost", "Framed print of rows of blue waves with a pale sun",
             "Fourteen rows of water. The table itself is on the back, for the harbour we grew up in.", "7"),
        Item("Constellation for Beginners", "30.00", 44, "framed_print", "stars", "dusk", "Framed print of a constellation with thin lines",
             "Not a real constellation. We asked an astronomer, who said that it could be one if we were patient.", "7"),
    ],
    "Cards and Bookmarks": [
        Item("Bookmarks, Herbs", "8.00", 150, "bookmarks", "branch", "moss", "Four narrow bookmarks with a branch each",
             "Four herbs from the window sill, printed on 600 g board and threaded with linen.", weight=40),
        Item("Bookmarks, Night Train", "8.00", 95, "bookmarks", "stars", "frost", "Four dark bookmarks with stars",
             "For those who read until the lights go out. The stars are printed in pale ink on dark board, which takes three passes.", weight=40),
        Item("Thank-You Cards, Set of Six", "11.50", 60, "cards", "vase", "harbour", "Card with a vase of flowers coming out of an envelope",
             "Six cards, six envelopes, nothing printed inside. You will know what to write.", weight=110),
        Item("Harvest Cards, Set of Six", "11.50", 52, "cards", "fruit", "orchard", "Card with pears on a red table and a brown envelope",
             "Six cards with the offcuts of our pear print, which turned out to be just the right size.", weight=110),
        Item("Gift Tags, Two Dozen", "6.50", 200, "tags", "quarters", "kiln", "Six gift tags with patterns of quarter circles",
             "Twenty-four tags cut from make-ready sheets, so every one is different and none is wasted.", weight=60),
        Item("Ex Libris Plates", "9.50", 5, "tags", "letter", "slate", "Six small plates with a letter each",
             "Twenty gummed plates to lick and stick. Tell us your initial in the order and we print it while you wait for the post.", weight=50),
    ],
    "Mugs and Linen": [
        Item("Specimen Mug", "18.00", 33, "mug", "specimen", "press", "White mug with lines of type in red and black",
             "Holds three decilitres and the most useful pangram we know. Dishwasher-proof, tested in an office with interns.", weight=380),
        Item("Halftone Mug", "18.00", 21, "mug", "halftone", "harbour", "White mug with a blue halftone pattern",
             "A halftone dot, two hundred times. From across the room it is a mug with a shadow.", weight=380),
        Item("Fish Mug", "18.00", 3, "mug", "fish", "noon", "White mug with rows of fish",
             "Every fish swims to the left, except on the handle side, where we ran out of sea.", weight=380),
        Item("Type Case Towel", "16.00", 48, "towel", "truchet", "slate", "Grey tea towel with winding lines hanging from a rod",
             "Half linen, half cotton, 50 by 70 cm. It dries glasses and, more slowly, rollers.", weight=140),
        Item("Coasters, Small Town", "14.00", 27, "coasters", "houses", "night", "Four round coasters with rows of houses",
             "Four coasters of cork and paper, sealed. Put together they make a street.", weight=160),
    ],
    "Type and Tools": [
        Item("Type Specimen No. 4", "7.00", 90, "folded_sheet", "circles", "press", "Folded sheet with patterns above and lines of text below",
             "Our fourth specimen: three old faces and a new one, set in sizes from six to seventy-two point, folded three times.", "7", weight=60),
        Item("Type Specimen No. 5", "7.00", None, "folded_sheet", "quarters", "dusk", "Folded sheet with coloured quarter circles and text",
             "The fifth: only figures and punctuation, because nobody ever shows them.", "7", weight=60),
        Item("Paper Swatch Book", "12.00", 38, "swatches", "plain", "orchard", "Fan of paper strips in greens, yellow and red held by a rivet",
             "Nine papers that we print on and can buy again, with weight, grain direction and what ink does to them.", weight=170),
        Item("Bone Folder", "9.00", 76, "folder", "plain", "clay", "Pale bone folder lying above a pencil",
             "The cheapest tool in the house and the one everybody steals. Boiled, sanded, oiled.", weight=30),
        Item("Imposition, a Short Guide (PDF)", "5.00", None, "download", "weave", "frost", "Laptop showing a woven pattern",
             "Forty pages on which page goes where, with templates to fold along. Sent as a download; print it twice and fold one copy wrong on purpose.",
             "7", weight=0, digital=True),
    ],
}  # fmt: skip
