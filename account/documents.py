from search.registry import Entry

from .models import User


def person_entry(person: User) -> Entry:
    return Entry(
        title=person.display_name,
        url=person.get_absolute_url(),
        summary=person.bio,
        tags=person.username,
        public_from=person.date_joined if person.is_active else None,
    )
