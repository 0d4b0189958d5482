from celery import shared_task

from core.jobs.rows import each

from .models import Post, PostTag
from .rebuilding import align_tags

AT_ONCE = 500


@shared_task
def count_due_posts() -> int:
    """Take scheduled posts whose hour has come into the kept counts and the stream; safe to repeat."""
    return each(Post.count_if_due, Post.objects.uncounted().order_by("publish_at")[:AT_ONCE])


@shared_task
def align_post_tags() -> int:
    """
    Let tags say again what their posts say.

    While a site is upgraded the former version still writes for some seconds, and knows nothing of what the new one
    repeats on tags: a post published then would be missing from its tags' pages for good.
    """
    strayed = PostTag.objects.out_of_step().order_by("content_object_id").values_list("content_object_id", flat=True)
    return each(align_tags, strayed.distinct()[:AT_ONCE])
