from django.urls import path

from . import views, webhooks

app_name = "payment"
urlpatterns = [
    path("process/", views.process, name="process"),
    path("change/", views.change, name="change"),
    path("completed/", views.completed, name="completed"),
    path("canceled/", views.canceled, name="canceled"),
    path("webhook/", webhooks.webhook, name="webhook"),
    path("refund/<int:order_id>/", views.refund, name="refund"),
    path("refund/<int:refund_id>/settle/", views.refund_settle, name="refund_settle"),
]
