from django.urls import path

from . import views

app_name = "images"
urlpatterns = [
    path("", views.image_list, name="image_list"),
    path("create/", views.image_create, name="image_create"),
    path("by/<str:username>/", views.image_list_by_owner, name="image_list_by_owner"),
    path("ranking/", views.image_ranking, name="image_ranking"),
    path("export/<str:kind>/", views.image_export, name="image_export"),
    path("detail/<int:pk>/<str:slug>/", views.image_detail, name="image_detail"),
    path("<int:pk>/like/", views.image_like, name="image_like"),
    path("<int:pk>/edit/", views.image_edit, name="image_edit"),
    path("<int:pk>/delete/", views.image_delete, name="image_delete"),
    path("<int:pk>/fetch/", views.image_fetch, name="image_fetch"),
]
