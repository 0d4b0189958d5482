"""Instructions of the old system in a post's text: nothing here follows them, so readers see them as they stand."""

import re
from collections import Counter

CODE = re.compile(
    r"^(?P<fence>`{3,}|~{3,}).*?^(?P=fence)|^(?: {4}|\t).*?$|(?P<ticks>`+)(?!`).*?(?<!`)(?P=ticks)(?!`)",
    re.DOTALL | re.MULTILINE,
)
NAME = r"[A-Za-z][\w\\/.-]*"
HUGO = re.compile(rf"\{{\{{[<%]-?\s*({NAME})[^\n]*?[%>]\}}\}}")
LIQUID = re.compile(rf"\{{%-?\s*({NAME})[^\n]*?%\}}")
VARIABLE = re.compile(r"\{\{-?\s*([\w.]+)[^{}\n]*\}\}")
# WordPress's own, and any that has a setting: a word alone in brackets is mostly a writer's.
WORDPRESS = re.compile(
    rf"\[(audio|caption|code|embed|gallery|playlist|sourcecode|video|wp_caption|{NAME}(?=\s+[\w-]+=[\"'\d]))[^\]\n]*\](?![(:\[])"
)
ENDS = ("end", "/")


def shortcodes(text: str) -> dict[str, int]:
    """Return which shortcodes the text shows outside of code and how often, such as `[gallery]` or `{{< figure >}}`."""
    text = CODE.sub("", text)
    found: Counter[str] = Counter()
    for pattern, form in [(HUGO, "{{{{< {} >}}}}"), (LIQUID, "{{% {} %}}"), (VARIABLE, "{{{{ {} }}}}")]:
        found.update(form.format(match[1]) for match in pattern.finditer(text) if not match[1].startswith(ENDS))
        text = pattern.sub("", text)
    found.update(f"[{match[1]}]".replace("\\", "") for match in WORDPRESS.finditer(text))
    return dict(found)


def sentence(found: dict[str, int]) -> str:
    """Return what the report of an import says of them."""
    listed = [name if number == 1 else f"{name} ({number} times)" for name, number in found.items()]
    return f"readers will see {', '.join(listed)} as text; please mend it by hand"
