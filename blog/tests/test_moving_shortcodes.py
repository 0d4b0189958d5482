"""The report of an import names the posts that show another system's instructions as text."""

from io import StringIO

import pytest
from django.core.management import call_command

from account.tests.factories import make_user
from blog.moving.shortcodes import shortcodes
from blog.tests.test_moving_wxr import HEAD, TAIL, item


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('a [gallery ids="1,2"] b [gallery] c', {"[gallery]": 2}),
        ('[contact-form-7 id="5" title="x"]', {"[contact-form-7]": 1}),
        (r'[my\_box size="5"]inside[/my\_box]', {"[my_box]": 1}),
        ("[caption id=x]A[/caption]", {"[caption]": 1}),
        ('{{< figure src="a.png" >}}\n{{%  notice %}}x{{% /notice %}}', {"{{< figure >}}": 1, "{{< notice >}}": 1}),
        ("{% include a.html %} {%- if x -%}y{% endif %}", {"{% include %}": 1, "{% if %}": 1}),
        ("{{ site.baseurl }}/a", {"{{ site.baseurl }}": 1}),
        ("![x]({{ site.url }}/a.png)", {"{{ site.url }}": 1}),
    ],
)
def test_instructions_are_found(text, found):
    assert shortcodes(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "[a link](https://example.org) and [another][1]\n\n[1]: https://example.org",
        "He said [sic] and left [...] at 5.",
        "- [ ] to do\n- [x] done",
        "```\n{% raw %} [gallery]\n```\n\n`{{< figure >}}` and ``[gallery]``\n\n    [gallery ids=1]",
        "a {brace} and 100%} of {{ nothing",
    ],
)
def test_what_writers_write_is_none(text):
    assert shortcodes(text) == {}


@pytest.mark.django_db
@pytest.mark.parametrize("dry", [False, True])
def test_the_report_says_which_post_holds_which(tmp_path, dry):
    make_user("alice")
    folder, said = tmp_path / "posts", StringIO()
    folder.mkdir()
    (folder / "a.md").write_text(
        "---\ntitle: A\n---\nSee {{< figure src=x >}} and {{< figure src=y >}} {% include z %}"
    )
    (folder / "b.md").write_text("---\ntitle: B\n---\nNothing here.")

    call_command("import_posts", folder, author="alice", dry_run=dry, verbosity=0, stdout=said)

    assert "folder:a.md: readers will see {{< figure >}} (2 times), {% include %} as text" in said.getvalue()
    assert "b.md: readers" not in said.getvalue()


@pytest.mark.django_db
def test_wordpress_shortcodes_are_named_with_the_posts_title(tmp_path):
    make_user("alice")
    path, said = tmp_path / "export.xml", StringIO()
    path.write_text(HEAD + item(1, body='Before [gallery ids="1,2"] after') + TAIL)

    call_command("import_posts", path, author="alice", verbosity=0, stdout=said)

    assert "readers will see [gallery] as text" in said.getvalue()
