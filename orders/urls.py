from django.conf import settings
from django.urls import path

from . import staff, views

app_name = "orders"
urlpatterns = [
    path("", views.order_list, name="order_list"),
    path("create/", views.order_create, name="order_create"),
    path("admin/order/<int:order_id>/", staff.admin_order_detail, name="admin_order_detail"),
    path("admin/order/<int:order_id>/handle/", staff.admin_order_handle, name="admin_order_handle"),
    path("admin/order/<int:order_id>/pdf/", staff.admin_order_pdf, name="admin_order_pdf"),
    *(
        [
            path("withdrawal/", views.withdrawal, name="withdrawal"),
            path("withdrawal/done/", views.withdrawal_done, name="withdrawal_done"),
        ]
        if settings.WITHDRAWAL_FORM
        else []
    ),
    path("<str:token>/", views.order_detail, name="order_detail"),
    path("<str:token>/download/<int:line_id>/", views.order_download, name="order_download"),
    path("<str:token>/<str:label>.pdf", views.order_invoice, name="order_invoice"),
]
