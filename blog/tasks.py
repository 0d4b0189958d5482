from celery import shared_task

from .models import Post

AT_ONCE = 500


@shared_task
def count_due_posts() -> int:
    """Take scheduled posts whose hour has come into the kept counts and the stream; safe to repeat."""
    due = Post.objects.uncounted().order_by("publish_at")[:AT_ONCE]
    return sum(post.count_if_due() for post in due)
