from functools import cache, partial
from itertools import starmap

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.core import signing
from django.db import transaction
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    QueryDict,
    StreamingHttpResponse,
)
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from account import faces
from account.requests import MemberRequest
from actions import popularity
from core.caching.memory import cached
from core.caching.pages import for_everyone
from core.jobs.background import delay_on_commit
from core.people import Viewer
from core.serving.intake import takes_files
from core.staff.spreadsheets import csv_response
from core.web.cookies import named
from core.web.headers import POLICY, policy
from core.web.http import SiteRequest, viewer
from core.web.ratelimit import limited

from .export import COLUMNS, rows, zip_of
from .forms import ImageCreateForm, ImageForm, candidates_in
from .models import Image, ImageQuerySet, Like
from .paging import board, board_of, get_page

PER_PAGE = 24
RANKED = 10
FACES = 24
FOUND = named(
    "bookmarklet", path="/images/create/"
)  # cookie: the query with which the bookmarklet came to a visitor who has to log in first
LONGEST_NEXT = 1500
SECONDS_FOUND = 3600
LONGEST_COOKIE = 3800  # browsers drop one of more than 4096 characters, name and attributes included


@require_safe
@for_everyone("page")
def image_list(request: SiteRequest) -> HttpResponse:
    page = get_page(board(viewer(request)), request.GET.get("page"), PER_PAGE)
    template = "images/_tiles.html" if request.htmx else "images/image_list.html"
    response = render(request, template, {"page": page})
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_safe
@for_everyone("page")
def image_list_by_owner(request: SiteRequest, username: str) -> HttpResponse:
    """Show all pictures of one person; themselves the private ones too."""
    reader = viewer(request)
    owner = get_object_or_404(get_user_model().objects.visible_to(reader), username=username)
    page = get_page(board_of(owner, reader), request.GET.get("page"), PER_PAGE)
    template = "images/_tiles.html" if request.htmx else "images/image_list_by_owner.html"
    response = render(request, template, {"page": page, "owner": owner})
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_safe
@for_everyone()
def image_ranking(request: HttpRequest) -> HttpResponse:
    reader = viewer(request)
    hidden = frozenset(reader.hidden_ids() if reader.is_authenticated else ())
    images = cached(("ranking", hidden), partial(_ranking, Image.objects.shown_to(reader)))
    return render(request, "images/image_ranking.html", {"images": images})


def _ranking(shown: ImageQuerySet) -> list[Image]:
    ids = popularity.most_viewed(shown, RANKED)
    # Asked again: one of them may have been made private since.
    found = shown.pages().in_bulk(ids)
    return [found[pk] for pk in ids if pk in found]


def _visible(request: HttpRequest, pk: int) -> Image:
    image = get_object_or_404(_pages(), pk=pk)
    if not image.is_visible_to(viewer(request)):
        raise Http404
    return image


@cache
def _pages() -> ImageQuerySet:
    """Return what is asked again and again with another number: to put it together takes as long as to ask."""
    return Image.objects.pages()


def _own(request: MemberRequest, pk: int) -> Image:
    return get_object_or_404(Image.objects.of(request.user.pk), pk=pk)


@require_safe
@for_everyone()
def image_detail(request: HttpRequest, pk: int, slug: str) -> HttpResponse:
    image = _visible(request, pk)
    if slug != image.slug:
        return redirect(image, permanent=True)
    if image.is_public:
        popularity.count_view(request, image)
    return render(request, "images/image_detail.html", _detail(request, image))


def _detail(request: HttpRequest, image: Image) -> dict[str, object]:
    reader = viewer(request)
    return {
        "image": image,
        "fans": _fans(image, reader) if image.total_likes else [],
        "views": popularity.views(image),
        "is_liked": image.is_liked_by(reader),
    }


def _fans(image: Image, reader: Viewer) -> list[faces.Face]:
    likes = Like.objects.filter(image=image.pk, user__is_active=True)
    if reader.is_authenticated:
        likes = likes.exclude(user__in=reader.hidden_ids())
    rows = likes.order_by("-pk").values_list(*(f"user__{name}" for name in faces.COLUMNS))
    return list(starmap(faces.Face, rows[:FACES]))


@require_POST
@login_required
@limited("60/min")
def image_like(request: MemberRequest, pk: int) -> HttpResponse:
    image, action = _visible(request, pk), request.POST.get("action")
    if action not in ("like", "unlike"):
        return HttpResponseBadRequest(_("Like or unlike."))
    if action == "like":
        image.like(request.user)
    else:
        image.unlike(request.user)
    if not request.htmx:
        return redirect(image)
    image.refresh_from_db(fields=["total_likes"])
    return render(request, "images/_likes.html", _detail(request, image))


@takes_files
@require_http_methods(["GET", "HEAD", "POST"])
@limited("10/min", "200/d")
def image_create(request: MemberRequest) -> HttpResponseBase:
    if not request.user.is_authenticated:
        return _log_in_first(request)
    if not request.user.is_proven:
        messages.warning(request, _("Please confirm your e-mail address first; then you can save pictures."))
        return redirect("account:dashboard")
    if request.method != "POST":
        return _picker(request, _form_from_bookmarklet(request))
    candidates = candidates_in(request.POST.getlist("candidate"))
    form = ImageCreateForm(request.POST, request.FILES, owner=request.user, candidates=candidates)
    if not form.is_valid():
        return _picker(request, form)
    image = form.save()
    messages.success(request, _("Picture saved.") if image.is_ready else _("Saved. We are fetching the picture."))
    return redirect(image)


def _log_in_first(request: HttpRequest) -> HttpResponse:
    """
    Keep what the bookmarklet found: Django follows no `next` of more than 2048 characters after logging in.

    The browser keeps it, because here a stranger's GET writes nothing.
    """
    here = request.get_full_path()
    if "url" not in request.GET or len(here) <= LONGEST_NEXT:
        return redirect_to_login(here)
    response = redirect_to_login(request.path)
    found, is_secure = _as_cookie(request.META["QUERY_STRING"]), settings.SESSION_COOKIE_SECURE
    response.set_cookie(
        FOUND, found, path=request.path, max_age=SECONDS_FOUND, httponly=True, samesite="Lax", secure=is_secure
    )
    return response


def _as_cookie(query: str) -> str:
    """Return the query as short as a cookie has to be; what does not fit are the last pictures, found least good."""
    while len(cookie := signing.dumps(query, salt=FOUND, compress=True)) > LONGEST_COOKIE:
        query = query[: len(query) * 3 // 4].rpartition("&")[0]
    return cookie


def _from_cookie(request: HttpRequest) -> str:
    try:
        return str(signing.loads(request.COOKIES.get(FOUND, ""), salt=FOUND, max_age=SECONDS_FOUND))
    except signing.BadSignature:
        return ""


def _picker(request: HttpRequest, form: ImageCreateForm) -> HttpResponseBase:
    response = render(request, "images/image_create.html", {"form": form}, status=422 if form.is_bound else 200)
    if form.candidates:
        response[POLICY] = policy(img_src="https: http:")
    if FOUND in request.COOKIES:
        response.delete_cookie(FOUND, path=request.path)
    return response


def _form_from_bookmarklet(request: MemberRequest) -> ImageCreateForm:
    asked = request.GET or QueryDict(_from_cookie(request))
    found = candidates_in(asked.getlist("url"))
    initial = {
        "source_url": found[0] if found else asked.get("url", "")[:2000],
        "page_url": asked.get("page", "")[:2000],
        "title": asked.get("title", "")[:200],
        "description": asked.get("description", "")[:2000],
    }
    return ImageCreateForm(owner=request.user, initial=initial, candidates=found if len(found) > 1 else [])


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def image_edit(request: MemberRequest, pk: int) -> HttpResponse:
    image = _own(request, pk)
    form = ImageForm(request.POST or None, instance=image)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Changes saved."))
        return redirect(image)
    return render(
        request, "images/image_edit.html", {"form": form, "image": image}, status=422 if form.is_bound else 200
    )


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def image_delete(request: MemberRequest, pk: int) -> HttpResponse:
    image = _own(request, pk)
    if request.method != "POST":
        return render(request, "images/image_delete.html", {"image": image})
    image.remove()
    messages.success(request, _("Picture deleted."))
    return redirect("images:image_list")


@require_POST
@login_required
@limited("10/h")
def image_export(request: MemberRequest, kind: str) -> HttpResponse | FileResponse | StreamingHttpResponse:
    """
    Hand a member their own pictures: "csv" the list, "zip" with the files.

    By POST, or any page of others could have a member's browser ask for it as often as it likes.
    """
    images = Image.objects.of(request.user.pk)
    if kind == "csv":
        return csv_response("pictures", COLUMNS, rows(images))
    if kind != "zip":
        raise Http404
    return FileResponse(zip_of(images), as_attachment=True, filename=f"pictures-{timezone.localdate()}.zip")


@require_POST
@login_required
@limited("10/min")
def image_fetch(request: MemberRequest, pk: int) -> HttpResponse:
    """Try once more to fetch what could not be fetched."""
    image = _own(request, pk)
    failed = Image.objects.filter(pk=image.pk, status=Image.Status.FAILED).exclude(source_url="")
    with transaction.atomic():
        if failed.update(status=Image.Status.FETCHING, attempts=0, lease_until=None, same_as=None):
            delay_on_commit("images.tasks.fetch_picture", image.pk)
    return redirect(image)
