from django.urls import path

from . import views

# str, not slug: slugs of categories and products may hold letters of any script.
app_name = "shop"
urlpatterns = [
    path("", views.product_list, name="product_list"),
    path("<str:category>/", views.product_list, name="product_list_by_category"),
    path("<int:product_id>/<str:slug>/", views.product_detail, name="product_detail"),
    path("<int:product_id>/<str:slug>/alert/", views.stock_alert, name="stock_alert"),
    path("alerts/<str:token>/confirm/", views.stock_alert_confirm, name="stock_alert_confirm"),
    path("alerts/<str:token>/cancel/", views.stock_alert_cancel, name="stock_alert_cancel"),
]
