import datetime
import math
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from account.models import User
from actions import popularity
from core.caching.pages import for_everyone, may_lag
from core.caching.paging import ListPaginator, LongList
from core.web.ratelimit import client_address, hit, too_many, wait
from search import engines, query

from . import commenting, paging, public, related, sharing, sidebar, tokens
from .forms import CommentForm, SharePostForm
from .models import Comment, Post, TagAlias
from .public import PublicPost

POSTS_ON_A_PAGE = 10
COMMENTS_ON_A_PAGE = 50
SEARCHES = "30/min"
COMMENTS = ("5/min", "30/h")
SHARE_TRIES = "10/min"


@for_everyone("page")
@require_safe
def post_list(request: HttpRequest) -> HttpResponse:
    return _list(request, "blog/post_list.html", sidebar.read(), paging.posts())


@for_everyone("page")
@require_safe
def post_list_by_tag(request: HttpRequest, slug: str) -> HttpResponse:
    beside = sidebar.read(tag=slug)
    if beside.subject_tag is None or not beside.subject_count:
        alias = get_object_or_404(TagAlias.objects.select_related("tag"), slug=slug)
        return redirect(alias.tag, permanent=True)
    tag = beside.subject_tag
    return _list(request, "blog/post_list_by_tag.html", beside, paging.posts_of_a_tag(tag.id), tag=tag)


@for_everyone("page")
@require_safe
def post_list_by_author(request: HttpRequest, username: str) -> HttpResponse:
    beside = sidebar.read(author=username)
    if not beside.subject_count:
        raise Http404
    posts = paging.posts_of_an_author(beside.subject_author)
    return _list(request, "blog/post_list_by_author.html", beside, posts)


@for_everyone("page")
@require_safe
def post_list_by_date(
    request: HttpRequest, year: int, month: int | None = None, day: int | None = None
) -> HttpResponse:
    period = _period(year, month, day)
    posts = paging.posts_of_a_period(*period)
    beside = replace(sidebar.read(), subject_count=posts.count())
    if not beside.subject_count:
        raise Http404
    context = {"first": period[0], "precision": "day" if day else "month" if month else "year"}
    return _list(request, "blog/post_list_by_date.html", beside, posts, **context)


@for_everyone("page")
@require_safe
def post_detail(request: HttpRequest, year: int, month: int, day: int, slug: str) -> HttpResponse:
    day_of_post, _same = _period(year, month, day)
    post = public.one(day_of_post, slug)
    if post is None:
        moved = Post.objects.published().filter(old_addresses__publish_on=day_of_post, old_addresses__slug=slug)
        return redirect(get_object_or_404(moved), permanent=True)
    popularity.count_view(request, Post(pk=post.pk))
    return render(request, "blog/post_detail.html", _detail(request, post))


@never_cache
@require_safe
def post_preview(request: HttpRequest, token: str) -> HttpResponse:
    """Show a post, public or not, to whoever was given the link."""
    post_id, key = tokens.previewed_post(token) or (None, None)
    post = get_object_or_404(Post.objects.select_related("author"), pk=post_id, preview_key=key)
    response = render(request, "blog/post_preview.html", {"post": post})
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Referrer-Policy"] = "no-referrer"
    return response


@require_POST
def post_comment(request: HttpRequest, post_id: int) -> HttpResponse:
    post = get_object_or_404(Post.objects.published().select_related("author"), pk=post_id, is_open=True)
    if _is_out_of_reach(request, post):
        raise PermissionDenied
    form = CommentForm(request.POST, member=_member(request))
    if form.is_trapped:
        return _thanked(request, post)
    seconds = wait(request, "comment", *COMMENTS)
    if seconds:
        form.add_error(None, _("You have sent several comments in a short time. Wait a little and send it again."))
    if not form.is_valid():
        return _refused(request, "blog/post_detail.html", _detail(request, post, form=form), seconds)
    comment = commenting.leave(form.comment(post), request)
    if comment.state == Comment.State.APPROVED:
        messages.success(request, _("Your comment is published."))
        response: HttpResponse = redirect(_address_of(comment))
    else:
        response = _thanked(request, post)
    commenting.remember(comment, response)
    return response


def _thanked(request: HttpRequest, post: Post) -> HttpResponse:
    messages.success(request, _("Thank you. Your comment will be shown when it has been read and approved."))
    # The comment does not show yet, so lead to the sentence that says so instead of to the comments far below it.
    return redirect(f"{post.get_absolute_url()}#messages")


def _refused(request: HttpRequest, template: str, context: dict[str, Any], seconds: int) -> HttpResponse:
    """Show the form again with all that was typed; `seconds` is how long to wait when it came too often."""
    response = render(request, template, context, status=429 if seconds else 422)
    if seconds:
        response["Retry-After"] = str(seconds)
    return response


@require_http_methods(["GET", "HEAD", "POST"])
def comment_decide(request: HttpRequest, token: str) -> HttpResponse:
    """Approve or hide by a mailed link; looking (as mail scanners do) changes nothing, only the button acts."""
    comment = commenting.decided_by(token)
    if comment is None:
        raise Http404
    if request.method == "POST":
        state = Comment.State.APPROVED if request.POST.get("decision") == "approve" else Comment.State.HIDDEN
        comment.move(state)
        messages.success(request, _("Comment approved.") if state == Comment.State.APPROVED else _("Comment hidden."))
        return redirect("blog:comment_decide", token=token)
    response = render(request, "blog/comment_decide.html", {"comment": comment, "token": token})
    response["X-Robots-Tag"] = "noindex"
    response["Cache-Control"] = "private, no-store"
    response["Referrer-Policy"] = "no-referrer"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
def post_share(request: HttpRequest, post_id: int) -> HttpResponse:
    post = get_object_or_404(Post.objects.published(), pk=post_id)
    form = SharePostForm(request.POST or None)
    context = {"post": post, "form": form}
    if request.method != "POST":
        return render(request, "blog/post_share.html", context)
    if form.is_trapped:
        return redirect(post)
    seconds = wait(request, "share-form", SHARE_TRIES)
    try:
        if form.is_valid() and not seconds:
            sharing.share(post, form.cleaned_data, form.quoted_note(), request)
    except sharing.TooManyMails:
        seconds = 3600
    if seconds:
        form.add_error(None, _("Too many mails were asked for in a short time. Wait a little and send it again."))
    if not form.is_valid():
        return _refused(request, "blog/post_share.html", context, seconds)
    messages.success(request, _("The post is on its way to %(to)s.") % {"to": form.cleaned_data["to"]})
    return redirect(post)


@require_safe
@may_lag
def post_search(request: HttpRequest) -> HttpResponse:
    text = request.GET.get("query", "")
    if text.strip() and not hit("search", client_address(request), SEARCHES):
        return too_many(request, 60)
    asked = query.parse(text)
    found = engines.search(asked, kind="post", limit=POSTS_ON_A_PAGE, after=request.GET.get("after"))
    context = {"query": asked.text, "found": found, "max_characters": query.MAX_CHARACTERS}
    return render(request, "blog/post_search.html", context)


def _list(
    request: HttpRequest,
    template: str,
    beside: sidebar.Sidebar,
    posts: LongList,
    **context: Any,
) -> HttpResponse:
    paginator = ListPaginator(posts, beside.subject_count, POSTS_ON_A_PAGE)
    page = paginator.get_page(request.GET.get("page"))
    return render(request, template, {"page": page, "sidebar": beside, **context})


def _detail(request: HttpRequest, post: Post | PublicPost, form: CommentForm | None = None) -> dict[str, Any]:
    """Return what the page of a post shows."""
    member = _member(request)
    is_out_of_reach = _is_out_of_reach(request, post)
    return {
        "post": post,
        "comments": _comments(request, post),
        "hidden_ids": member.hidden_ids() if member else set(),
        "out_of_reach_ids": member.out_of_reach_ids() if member else set(),
        "is_out_of_reach": is_out_of_reach,
        "form": form or (CommentForm(member=member) if post.is_open and not is_out_of_reach else None),
        "related": related.related_to(post),
    }


def _is_out_of_reach(request: HttpRequest, post: Post | PublicPost) -> bool:
    """Tell whether there is a block between the member who reads and the author."""
    member = _member(request)
    return bool(member and post.author_id in member.out_of_reach_ids())


def _comments(request: HttpRequest, post: Post | PublicPost) -> Page[Any]:
    paginator = ListPaginator(paging.comments(post.pk), post.comment_count, COMMENTS_ON_A_PAGE)
    return paginator.get_page(request.GET.get("page"))


def _address_of(comment: Comment) -> str:
    """Return the page of the post on which a new public comment stands: the last."""
    post = comment.post
    post.refresh_from_db(fields=["comment_count"])
    number = max(1, math.ceil(post.comment_count / COMMENTS_ON_A_PAGE))
    query = f"?page={number}" if number > 1 else ""
    return f"{post.get_absolute_url()}{query}#comment-{comment.pk}"


def _member(request: HttpRequest) -> User | None:
    """Return who is logged in, or None; without a session cookie there is nothing to look up."""
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return None
    return request.user if request.user.is_authenticated else None


def _period(year: int, month: int | None, day: int | None) -> tuple[datetime.date, datetime.date]:
    """Return the first and last day of a year, month or day; 404 for dates that no calendar has."""
    try:
        first = datetime.date(year, month or 1, day or 1)
        if day:
            return first, first
        after = datetime.date(year + 1, 1, 1) if month in (None, 12) else datetime.date(year, (month or 1) + 1, 1)
    except (ValueError, OverflowError):
        raise Http404 from None
    return first, after - datetime.timedelta(days=1)
