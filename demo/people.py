"""Twelve members, two of them with a printed password, and how a portrait is drawn."""

from dataclasses import dataclass

from .sheet import Sheet

MEMBER = "anna"
STAFF = "staff"
DOMAIN = "@atelier.example"
# Printed by the command and by `make run`; the demo refuses to run where DEBUG is off.
PASSWORD = "paper-and-ink"  # noqa: S105


@dataclass(frozen=True)
class Person:
    username: str
    first_name: str
    last_name: str
    bio: str
    palette: str
    hair: str


PEOPLE = [
    Person("anna", "Anna", "Lindqvist", "Bookbinder. Collects endpapers, gives away the books.", "orchard", "bun"),
    Person("staff", "Marta", "Reyes", "Runs the press here, answers the mail, sweeps the floor.", "kiln", "long"),
    Person("bashir", "Bashir", "Haddad", "Draws letters by day, deletes them by night.", "harbour", "short"),
    Person("chloe", "Chloe", "Martin", "Teaches linocut to people who say they cannot draw.", "plum", "curly"),
    Person("daniel", "Daniel", "Okafor", "Photographs signs before they are taken down.", "noon", "short"),
    Person("emi", "Emi", "Tanaka", "Paper conservator. Please wash your hands.", "frost", "long"),
    Person("felix", "Felix", "Brandt", "Has a press in the cellar and understanding neighbours.", "slate", "cap"),
    Person("greta", "Greta", "Novak", "Looking for the perfect grey.", "clay", "bun"),
    Person("hugo", "Hugo", "Ferreira", "Tiles, tickets, timetables.", "dusk", "curly"),
    Person("ines", "Ines", "Moreau", "Writes postcards, receives some.", "moss", "long"),
    Person("jonas", "Jonas", "Weber", "Librarian. Quiet, except about microfilm.", "press", "short"),
    Person("kavya", "Kavya", "Rao", "Pattern designer; everything repeats.", "night", "curly"),
]


def portrait(person: Person, seed: int) -> bytes:
    """Return a small portrait as JPEG: shoulders, head, hair, no two alike."""
    s = Sheet(1.0, person.palette, seed, width=320)
    skin = s.rng.choice(["#f0c9a8", "#e0ac82", "#c68a5e", "#9a6642", "#7a4e32"])
    hair = s.rng.choice(["#2b201a", "#4a3023", "#7a4a2a", "#b98a4a", "#8d8a86"])
    s.box(0, 0, 1, 1, s.inks[2])
    if person.hair == "long":
        s.box(0.27, 0.36, 0.46, 0.42, hair, corner=0.16)
    if person.hair == "bun":
        s.disc(0.5, 0.14, 0.1, hair)
    s.oval(0.5, 1.06, 0.4, 0.34, s.inks[0])
    s.box(0.43, 0.58, 0.14, 0.2, skin, corner=0.05)
    s.oval(0.5, 0.45, 0.19, 0.23, skin)
    _hair(s, person.hair, hair)
    for x in (0.43, 0.57):
        s.disc(x, 0.46, 0.016, "#2b201a")
    s.arc(0.5, 0.52, 0.07, 30, 150, "#2b201a", 0.009)
    return s.finish(grain=3)


def _hair(s: Sheet, kind: str, ink: str) -> None:
    if kind == "cap":
        s.slice(0.5, 0.37, 0.21, 180, 360, s.inks[1])
        s.box(0.5, 0.34, 0.3, 0.035, s.inks[1], corner=0.015)
        return
    s.slice(0.5, 0.4, 0.205, 180, 360, ink)
    if kind == "curly":
        for step in range(9):
            s.disc(0.29 + step * 0.053, 0.34 - 0.14 * (1 - ((step - 4) / 4) ** 2), 0.07, ink)
