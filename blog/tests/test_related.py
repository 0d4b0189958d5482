import random
from datetime import timedelta

from django.test import TestCase
from django.utils import timezone

from blog import related
from blog.models import Post
from blog.tests.factories import make_post


def slug_of(post):
    return post and post.slug


class AroundTests(TestCase):
    def test_finds_what_the_definition_says_for_any_posts(self):
        rng = random.Random(5)
        now = timezone.now()
        moments = [now - timedelta(hours=hour) for hour in range(-3, 12)]  # several posts share one, some are to come
        for number in range(40):
            tags = tuple(rng.sample(["a", "b", "c", "d", "e", "f"], rng.randint(0, 4)))
            make_post(tags=tags, publish_at=rng.choice(moments), published=rng.random() > 0.2, slug=f"p{number}")
        posts = list(Post.objects.all())
        public = [post for post in posts if post.is_public]

        for post in posts:
            found = related.related_to(post)
            others = [other for other in public if other != post]
            place = (post.publish_at, post.pk)
            key = lambda other: (other.publish_at, other.pk)  # noqa: E731
            names = {tag["name"] for tag in post.tag_list}
            shared = {other: len(names & {tag["name"] for tag in other.tag_list}) for other in others}
            similar = sorted((o for o in others if shared[o]), key=lambda o: (shared[o], *key(o)), reverse=True)
            older, newer = [o for o in others if key(o) < place], [o for o in others if key(o) > place]
            assert slug_of(found.previous) == slug_of(max(older, key=key, default=None))
            assert slug_of(found.next) == slug_of(min(newer, key=key, default=None))
            assert list(map(slug_of, found.similar)) == list(map(slug_of, similar[:4]))

    def test_takes_one_query_however_many_tags(self):
        for count in (0, 1, 12):
            post = make_post(tags=tuple(f"tag {number}" for number in range(count)))
            with self.assertNumQueries(1):
                related.related_to(post)
