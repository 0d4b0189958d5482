"""A page as somebody reads it who looks at no source: text, links by what they say, fields by their labels."""

import re
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urldefrag, urljoin

import requests
from bs4 import BeautifulSoup, NavigableString, Tag
from bs4.element import PreformattedString

Upload = tuple[str, bytes, str]  # the name of a file, what is in it, its type
Answer = str | bool | list[str] | Upload

INLINE = {
    *("a", "abbr", "b", "bdi", "bdo", "cite", "code", "data", "del", "dfn", "em", "i", "ins", "kbd", "mark", "q", "s"),
    *("samp", "small", "span", "strong", "sub", "sup", "time", "u", "var", "wbr"),
}
UNSEEN = {"head", "script", "style", "template", "noscript"}
SURROUNDINGS = ("li", "tr", "article", "section", "fieldset", "form", "main", "body")


@dataclass
class Request:
    """What pressing a button asks the browser to send."""

    method: str
    url: str
    fields: list[tuple[str, str]]
    files: list[tuple[str, Upload]]
    is_multipart: bool


class Page:
    def __init__(self, answer: requests.Response) -> None:
        self.answer = answer
        self.status = answer.status_code
        self.url = answer.url
        self.headers = answer.headers

    def __repr__(self) -> str:
        return f"{self.status} {self.url}"

    @cached_property
    def soup(self) -> BeautifulSoup:
        return BeautifulSoup(self.answer.content, "html.parser")

    @cached_property
    def text(self) -> str:
        """Return what can be read on the page, with single spaces."""
        return read(self.soup)

    @property
    def heading(self) -> str:
        return read(self.soup.find_all("h1")[-1]) if self.soup.find("h1") else ""

    def link(self, text: str, *, near: str = "") -> str:
        """Return the address behind the link that says this, the first inside `main` if there is one."""
        found = [link for link in self.soup.find_all("a", href=True) if text in names(link)]
        found = found or [link for link in self.soup.find_all("a", href=True) if text in read(link)]
        found = [link for link in found if near in surroundings(link, near)]
        assert found, f"no link says {text!r} {near and f'near {near!r} '}on {self}:\n{self.text}"
        inside = [link for link in found if link.find_parent("main")]
        return urldefrag(urljoin(self.url, str((inside or found)[0]["href"]))).url

    def links(self) -> list[str]:
        return [urldefrag(urljoin(self.url, str(link["href"]))).url for link in self.soup.find_all("a", href=True)]

    def pictures(self) -> list[str]:
        return [urljoin(self.url, str(image["src"])) for image in self.soup.select("main img[src]")]

    # --- Forms ------------------------------------------------------------------------------------------------------

    def press(self, button: str, answers: dict[str, Answer], *, near: str = "") -> Request:
        """Fill fields by label and press the button; `near` tells buttons apart by the words around them."""
        choices = [found for found in self._buttons() if button in names(found)]
        choices = choices or [found for found in self._buttons() if any(button in name for name in names(found))]
        choices = [found for found in choices if near in surroundings(found, near)]
        choices = [found for found in choices if all(self._fields(found, label) for label in answers)] or choices
        assert choices, f"no button says {button!r} {near and f'near {near!r} '}on {self}:\n{self.text}"
        pressed = next((found for found in choices if found.find_parent("main")), choices[0])
        filling = {}
        for label, answer in answers.items():
            fields = self._fields(pressed, label)
            assert fields, f"no field is called {label!r} beside {button!r} on {self}:\n{self.text}"
            filling[fields[0]] = answer
        return self._sent(pressed, filling)

    def _buttons(self) -> list[Tag]:
        return [
            found
            for found in self.soup.find_all(["button", "input"])
            if str(found.get("type", "submit" if found.name == "button" else "text")) in ("submit", "image")
            and self._form(found) is not None
            and not found.has_attr("disabled")
        ]

    def _form(self, control: Tag) -> Tag | None:
        if control.get("form"):
            return self.soup.find("form", id=control["form"])
        return control.find_parent("form")

    def _controls(self, form: Tag) -> list[Tag]:
        return [each for each in self.soup.find_all(["input", "select", "textarea"]) if self._form(each) is form]

    def _fields(self, button: Tag, label: str) -> list[Tag]:
        """Return the controls of the button's form that carry this label, those that say exactly it first."""
        form = self._form(button)
        called = [(control, self._labels(control)) for control in self._controls(form) if is_usable(control)]
        exact = [control for control, labels in called if label in labels]
        return exact or [control for control, labels in called if any(each.startswith(label) for each in labels)]

    def _labels(self, control: Tag) -> list[str]:
        found = [control.find_parent("label")]
        if control.get("id"):
            found += self.soup.find_all("label", attrs={"for": control["id"]})
        words = [read(each) for each in found if each is not None]
        words += [str(image["alt"]) for each in found if each is not None for image in each.find_all("img", alt=True)]
        if isinstance(control.previous_sibling, NavigableString):  # the admin's "Date:" is no label
            words.append(control.previous_sibling.strip())
        words += [str(control[name]) for name in ("aria-label", "title") if control.get(name)]
        return [re.sub(r"\s*[*:]$", "", each) for each in words if each]

    def _sent(self, button: Tag, filling: dict[Tag, Answer]) -> Request:
        form = self._form(button)
        files: list[tuple[str, Upload]] = []
        fields: list[tuple[str, str]] = []
        by_identity = {id(control): answer for control, answer in filling.items()}
        chosen_groups = {str(c["name"]) for c, answer in filling.items() if c.get("type") == "radio" and answer}
        for control in self._controls(form):
            name = str(control.get("name", ""))
            if not name or not is_usable(control) or str(control.get("type")) in ("submit", "button", "reset", "image"):
                continue
            answer = by_identity.get(id(control))
            if str(control.get("type")) == "radio" and name in chosen_groups and answer is None:
                continue
            if str(control.get("type")) == "file":
                if isinstance(answer, tuple):
                    files.append((name, answer))
                continue
            values = values_of(control, answer)
            if control.has_attr("required") and not form.has_attr("novalidate") and str(control.get("type")) != "radio":
                assert any(values), f"the browser asks to fill in {self._labels(control)} on {self}"
            fields += [(name, value) for value in values]
        if button.get("name"):
            fields.append((str(button["name"]), str(button.get("value", ""))))
        return Request(
            method=str(button.get("formmethod") or form.get("method") or "get").lower(),
            url=urljoin(self.url, str(button.get("formaction") or form.get("action") or self.url)),
            fields=fields,
            files=files,
            is_multipart=str(form.get("enctype", "")).lower() == "multipart/form-data",
        )


def is_usable(control: Tag) -> bool:
    return not control.has_attr("disabled") and not control.find_parent("fieldset", disabled=True)


def values_of(control: Tag, answer: Answer | None) -> list[str]:
    """Return what a browser sends for the control: with the answer given, or as the page came."""
    if control.name == "select":
        return chosen(control, answer)
    if control.name == "textarea":
        text = re.sub(r"^\r?\n", "", control.get_text()) if answer is None else str(answer)
        return [re.sub(r"\r\n|\r|\n", "\r\n", text)]
    if str(control.get("type")) in ("checkbox", "radio"):
        is_on = control.has_attr("checked") if answer is None else bool(answer)
        return [str(control.get("value", "on"))] if is_on else []
    return [str(control.get("value", "")) if answer is None else str(answer)]


def chosen(select: Tag, answer: Answer | None) -> list[str]:
    options = select.find_all("option")
    if answer is None:
        selected = [option for option in options if option.has_attr("selected")]
        if not selected and not select.has_attr("multiple"):
            selected = [option for option in options if not option.has_attr("disabled")][:1]
    else:
        wanted = answer if isinstance(answer, list) else [answer]
        selected = [option for option in options if read(option) in wanted]
        assert len(selected) >= len(wanted), f"{wanted} is not among {[read(option) for option in options]}"
    return [str(option.get("value", read(option))) for option in selected]


def names(control: Tag) -> list[str]:
    """Return what a link or button is called: its words, its label for those who cannot see it, its picture's text."""
    found = [read(control), *(str(control[name]) for name in ("aria-label", "title", "value") if control.get(name))]
    return [*found, *(str(image.get("alt", "")) for image in control.find_all("img"))]


def surroundings(control: Tag, wanted: str) -> str:
    """Return the text of the smallest block around the control that says what is wanted."""
    if not wanted:
        return ""
    for block in control.parents:
        if block.name in SURROUNDINGS[:4] and wanted in read(block):
            return wanted
    return "\0"


def read(node: Tag) -> str:
    return " ".join("".join(pieces(node)).split())


def pieces(node: Tag) -> list[str]:
    if node.name in UNSEEN or node.has_attr("hidden"):
        return []
    found = []
    for child in node.children:
        if isinstance(child, Tag):
            inner = pieces(child)
            found += inner if child.name in INLINE else [" ", *inner, " "]
        elif isinstance(child, NavigableString) and not isinstance(child, PreformattedString):
            found.append(str(child))
    return found
