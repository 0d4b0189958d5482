"""
Write records as posts, each in a transaction of its own.

A record whose post is here already, by its key or by its address, changes nothing: what was edited here since is never
overwritten, and a second run over the same source is the same as none.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.files import File
from django.db import DatabaseError, InterfaceError, OperationalError, transaction
from django.utils import timezone
from django.utils.text import Truncator, slugify

from blog.models import Comment, Post, PostQuerySet
from blog.models.comments import MAX_LENGTH as MAX_COMMENT
from blog.models.posts import site_date

from .pictures import PictureKeeper
from .records import CommentRecord, Person, PostRecord, Skipped

MAX_EXCERPT = 500


@dataclass
class Report:
    """What a run did: numbers for what went well, a line for everything that did not."""

    created: int = 0
    comments: int = 0
    unchanged: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    notes: list[Skipped] = field(default_factory=list)

    def note(self, key: str, reason: str) -> None:
        self.notes.append(Skipped(key, reason))


class Importer:
    """Turns records into posts. `author` writes what names no author known here; without `write` nothing is stored."""

    def __init__(self, *, author: Any = None, write: bool = True, pictures: PictureKeeper | None = None) -> None:
        self.author = author
        self.write = write
        self.pictures = pictures
        self.report = Report()
        self._people: dict[Person, Any] = {}

    def run(self, records: Iterable[PostRecord | Skipped]) -> Report:
        for record in records:
            self.take(record)
        return self.report

    def take(self, record: PostRecord | Skipped) -> None:
        """Import one record, or remember why not; only a database that is away ends the import."""
        if isinstance(record, Skipped):
            self.report.skipped.append(record)
            return
        try:
            self._take(record)
        except (OperationalError, InterfaceError):
            raise
        except (ValueError, DatabaseError) as error:  # such as half a letter, which no database stores
            self.report.skipped.append(Skipped(record.key, f"it cannot be stored: {error!s:.200}"))

    def _take(self, record: PostRecord) -> None:
        if self._is_here(record):
            self.report.unchanged += 1
        elif self._is_taken(record):
            self.report.skipped.append(Skipped(record.key, "another post stands at its address (date and slug)"))
        elif not record.body.strip():
            self.report.skipped.append(Skipped(record.key, "it has no text"))
        else:
            self._create(record)

    def _is_here(self, record: PostRecord) -> bool:
        """Tell whether the post is here: by the key of its source, or word for word at its address (an own export)."""
        if Post.objects.filter(source_key=record.key[:255]).exists():
            return True
        return self._at_address(record).filter(title=record.title, body=record.body).exists()

    def _is_taken(self, record: PostRecord) -> bool:
        return self._at_address(record).exists()

    def _at_address(self, record: PostRecord) -> PostQuerySet:
        if record.publish_at is None or not record.slug:
            return Post.objects.none()
        return Post.objects.filter(publish_on=site_date(record.publish_at), slug=record.slug[:200])

    def _create(self, record: PostRecord) -> None:
        try:
            post = self._make(record)
            post.full_clean(exclude=["author", "tags", "cover"])
        except ValidationError as error:
            self.report.skipped.append(Skipped(record.key, " ".join(error.messages)))
            return
        if self.write:
            self._save(post, record)
        self.report.created += 1
        self.report.comments += len(record.comments)

    def _make(self, record: PostRecord) -> Post:
        is_draft = record.is_draft
        if record.publish_at is None and not is_draft:
            self.report.note(record.key, "it has no date and became a draft")
            is_draft = True
        return Post(
            source_key=record.key[:255],
            title=record.title,
            slug=record.slug[:200],
            body=self._body(record),
            excerpt=Truncator(record.excerpt).chars(MAX_EXCERPT),
            cover_alt=record.cover_alt[:200],
            publish_at=record.publish_at or timezone.now(),
            status=Post.Status.DRAFT if is_draft else Post.Status.PUBLISHED,
            author=self._author(record),
        )

    def _body(self, record: PostRecord) -> str:
        if not self.pictures or not self.write:
            return record.body
        body, problems = self.pictures.keep(record.body)
        for problem in problems:
            self.report.note(record.key, problem)
        return body

    def _save(self, post: Post, record: PostRecord) -> None:
        if record.cover:
            self._add_cover(post, record)
        with transaction.atomic():
            post.save()
            if record.tags:
                post.tags.set([tag[:100] for tag in record.tags])
            for comment in record.comments:
                self._save_comment(post, comment)

    def _add_cover(self, post: Post, record: PostRecord) -> None:
        assert record.cover is not None  # noqa: S101 - for the type checker; the caller looked
        with record.cover.open("rb") as file:
            try:
                post.cover.save(record.cover.name, File(file), save=False)
            except ValueError as error:
                self.report.note(record.key, f"its cover was left out: {error}")

    def _save_comment(self, post: Post, record: CommentRecord) -> None:
        if len(record.body) > MAX_COMMENT:
            self.report.note(record.key, "the comment was cut to 5,000 characters")
        Comment(
            post=post,
            source_key=record.key[:255],
            name=record.name[:80] or "?",
            email=record.email[:254],
            body=Truncator(record.body).chars(MAX_COMMENT),
            created_at=record.created_at,
            state=Comment.State.APPROVED if record.is_approved else Comment.State.WAITING,
        ).save()

    def _author(self, record: PostRecord) -> Any:
        person = record.author
        if person is None:
            author = self.author
        else:
            if person not in self._people:
                self._people[person] = self._find(person) or self._create_inactive(person) or self.author
            author = self._people[person]
        if author is None:
            raise ValidationError("nobody here is its author; name one with --author")
        return author

    def _find(self, person: Person) -> Any:
        people = get_user_model().objects
        by_email = people.filter(email__iexact=person.email).first() if person.email else None
        return by_email or people.filter(username__iexact=person.login).first()

    def _create_inactive(self, person: Person) -> Any:
        """Make an account that nobody can log in to, for an author whose address the source tells."""
        username = slugify(person.login)[:150]
        if not (person.email and username):
            return None
        if not self.write:
            return get_user_model()(username=username)
        user = get_user_model().objects.create_user(
            username, person.email, first_name=person.name[:150], is_active=False
        )
        self.report.note(person.login, "an inactive account was made for this author")
        return user
