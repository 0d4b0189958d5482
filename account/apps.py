from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in
from django.utils.translation import gettext_lazy as _

from search import registry


class AccountConfig(AppConfig):
    name = "account"
    verbose_name = _("People")

    def ready(self) -> None:
        from . import logins
        from .documents import person_entry
        from .models import User
        from .sessions import remember_device

        registry.register(
            User,
            "person",
            person_entry,
            of_person=lambda person: User.objects.filter(pk=person.pk),
            withheld=lambda member, ids: member.hidden_ids(),
        )
        # Logging in is Django's act, by whichever of three forms; a signal is the only way to hear of it.
        user_logged_in.connect(
            lambda sender, request, **kwargs: remember_device(request), weak=False, dispatch_uid="account.device"
        )
        logins.listen()
