"""A blog as Wagtail's own tutorial makes it: an index page with its posts below."""

from django.core.paginator import Paginator
from django.db import models
from modelcluster.contrib.taggit import ClusterTaggableManager
from modelcluster.fields import ParentalKey
from taggit.models import TaggedItemBase
from wagtail.fields import RichTextField
from wagtail.models import Page


class BlogIndexPage(Page):
    intro = RichTextField(blank=True)
    template = "wagtailpeer/index.html"

    def get_context(self, request, *args, **kwargs):
        context = super().get_context(request, *args, **kwargs)
        posts = BlogPage.objects.child_of(self).live().order_by("-date", "-pk")
        posts = posts.select_related("owner").prefetch_related("tagged_items__tag")
        return {**context, "page_of_posts": Paginator(posts, 10).get_page(request.GET.get("page"))}


class BlogPageTag(TaggedItemBase):
    content_object = ParentalKey("BlogPage", related_name="tagged_items", on_delete=models.CASCADE)


class BlogPage(Page):
    date = models.DateTimeField()
    summary = models.TextField()
    body = RichTextField()
    tags = ClusterTaggableManager(through=BlogPageTag, blank=True)
    template = "wagtailpeer/post.html"
