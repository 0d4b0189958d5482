from django.urls import path, register_converter

from . import feeds, views


class AnyScriptSlug:
    """Like Django's slug, in any script: tags such as Москва and 日本語 have addresses too."""

    regex = r"[-\w]+"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class Username:
    regex = r"[\w.@+-]+"
    to_python = AnyScriptSlug.to_python
    to_url = AnyScriptSlug.to_url


register_converter(AnyScriptSlug, "any_slug")
register_converter(Username, "username")

app_name = "blog"
urlpatterns = [
    path("", views.post_list, name="post_list"),
    path("tag/<any_slug:slug>/", views.post_list_by_tag, name="post_list_by_tag"),
    path("tag/<any_slug:slug>/feed/", feeds.tag_feed, name="tag_feed"),
    path("author/<username:username>/", views.post_list_by_author, name="post_list_by_author"),
    path("feed/", feeds.post_feed, name="post_feed"),
    path("search/", views.post_search, name="post_search"),
    path("comments/decide/<str:token>/", views.comment_decide, name="comment_decide"),
    path("preview/<str:token>/", views.post_preview, name="post_preview"),
    path("<int:year>/", views.post_list_by_date, name="post_list_by_date"),
    path("<int:year>/<int:month>/", views.post_list_by_date, name="post_list_by_date"),
    path("<int:year>/<int:month>/<int:day>/", views.post_list_by_date, name="post_list_by_date"),
    path("<int:year>/<int:month>/<int:day>/<any_slug:slug>/", views.post_detail, name="post_detail"),
    path("<int:post_id>/share/", views.post_share, name="post_share"),
    path("<int:post_id>/comment/", views.post_comment, name="post_comment"),
]
