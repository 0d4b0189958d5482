from celery import shared_task

from config.rows import each

from .models import Post

AT_ONCE = 500


@shared_task
def count_due_posts() -> int:
    """Take scheduled posts whose hour has come into the kept counts and the stream; safe to repeat."""
    return each(Post.count_if_due, Post.objects.uncounted().order_by("publish_at")[:AT_ONCE])
