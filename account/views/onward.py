"""Where somebody was going when we asked them to log in, register or give a code first."""

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme, urlencode


def onward(request: HttpRequest) -> str:
    """Return the page of ours that `next` names, or nothing."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return wanted if is_ours and wanted.startswith("/") and len(wanted) <= 500 else ""


def as_query(wanted: str) -> str:
    return f"?{urlencode({'next': wanted})}" if wanted else ""
