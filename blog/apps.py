from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from core.caching.memory import register_next_change
from search.registry import register


class BlogConfig(AppConfig):
    name = "blog"
    verbose_name = _("Blog")

    def ready(self) -> None:
        from .documents import entry
        from .models import Post

        register(Post, "post", entry)
        register_next_change(Post, Post.objects.next_publication)
