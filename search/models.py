"""The tables of the index. What makes them quick to search differs by database: see operations.py."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from .unspaced import put_together


class Document(models.Model):
    """
    What can be found of one object. It is public once `public_from` has passed, which every search asks anew.

    Texts are kept as they are indexed, which `put_together` undoes. Written by index.py only. An object that nobody may
    find has no document.
    """

    kind = models.CharField(_("kind"), max_length=20)
    object_id = models.PositiveBigIntegerField(_("object id"))
    title = models.TextField(_("title"))
    tags = models.TextField(_("tags"), blank=True)
    summary = models.TextField(_("summary"), blank=True)
    body = models.TextField(_("body"), blank=True)
    url = models.CharField(_("address"), max_length=500)
    public_from = models.DateTimeField(_("public from"))
    # When its words join the vocabulary; none: they are in it.
    learn_at = models.DateTimeField(_("words learnt at"), null=True, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "object_id"], name="document_unique_per_object")]
        indexes = [
            models.Index(
                fields=["learn_at"], name="document_to_learn", condition=models.Q(("learn_at__isnull", False))
            ),
        ]
        verbose_name = _("document")
        verbose_name_plural = _("documents")

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id}: {put_together(self.title)}"


class Word(models.Model):
    """A word that public documents use. `documents` is how many, counted up to COUNTED only: enough to tell rare."""

    COUNTED = 1000

    word = models.CharField(_("word"), max_length=30, primary_key=True)
    documents = models.PositiveIntegerField(_("documents"), default=1)

    class Meta:
        verbose_name = _("word")
        verbose_name_plural = _("words")

    def __str__(self) -> str:
        return self.word


class Trigram(models.Model):
    """Three letters in a row of a word (with its edges as spaces), by which a misspelt word finds its neighbours."""

    trigram = models.CharField(_("trigram"), max_length=3)
    length = models.PositiveSmallIntegerField(_("length of the word"))
    # Words go all together, when the vocabulary is rebuilt; a cascade would load each of them.
    word = models.ForeignKey(
        Word, on_delete=models.DO_NOTHING, related_name="trigrams", db_constraint=False, verbose_name=_("word")
    )

    class Meta:
        indexes = [models.Index(fields=["trigram", "length", "word"], name="trigram_lookup")]
        verbose_name = _("trigram")
        verbose_name_plural = _("trigrams")

    def __str__(self) -> str:
        return f"{self.trigram} in {self.word_id}"
