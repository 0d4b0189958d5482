"""
An invoice that can be read in thirty years: what ISO 19005-3 (PDF/A-3b) asks of a file, as far as its parts can tell.

No validator is at hand in the tests, so these are the standard's rules that a change of ours could break.
"""

from io import BytesIO

from django.test import TestCase
from pypdf import PdfReader

from orders import invoice
from orders.tests.factories import make_item, make_order


class ArchivableTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        order = make_order(lines=[(make_item(name="Mappe – Ж Ω é"), 2)] * 40, last_name="Ångström", paid=True)
        paper = order.invoices.get()
        cls.label = paper.label
        cls.content = invoice.render(paper.kind, paper.label, paper.snapshot)

    def setUp(self):
        self.pdf = PdfReader(BytesIO(self.content))
        self.root = self.pdf.trailer["/Root"]

    def resources(self):
        for page in self.pdf.pages:
            yield page["/Resources"]

    def test_it_says_which_standard_it_keeps_to(self):
        text = self.root["/Metadata"].get_object().get_data().decode()

        assert 'pdfaid:part="3"' in text and 'pdfaid:conformance="B"' in text
        assert f"Invoice {self.label}" in text
        assert self.pdf.metadata.title == f"Invoice {self.label}"

    def test_colours_have_a_profile(self):
        [intent] = [intent.get_object() for intent in self.root["/OutputIntents"]]

        assert intent["/S"] == "/GTS_PDFA1"
        assert intent["/DestOutputProfile"].get_object().get_data()[36:40] == b"acsp"  # every ICC profile's mark

    def test_every_font_is_inside_and_its_text_can_be_copied(self):
        fonts = [font.get_object() for resources in self.resources() for font in resources["/Font"].values()]

        assert fonts
        for font in fonts:
            [inner] = [each.get_object() for each in font["/DescendantFonts"]]
            descriptor = inner["/FontDescriptor"].get_object()
            assert {"/FontFile2", "/FontFile3"} & descriptor.keys(), font["/BaseFont"]
            assert "/ToUnicode" in font
        assert "Ångström" in self.pdf.pages[0].extract_text()
        assert "Mappe – Ж Ω é" in self.pdf.pages[0].extract_text()

    def test_nothing_shines_through_runs_or_waits_for_a_password(self):
        for resources in self.resources():
            for state in resources.get("/ExtGState", {}).values():
                opacities = [state.get_object().get(name, 1) for name in ("/ca", "/CA")]
                assert opacities == [1, 1]
                assert state.get_object().get("/SMask", "/None") == "/None"
        assert not {"/Encrypt"} & self.pdf.trailer.keys()
        assert not {"/OpenAction", "/AA", "/AcroForm", "/AF"} & self.root.keys()
        assert "/JavaScript" not in self.root.get("/Names", {})
        assert len(self.pdf.trailer["/ID"]) == 2
