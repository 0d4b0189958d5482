from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from core.staff.modeladmin import StaffAdmin
from core.staff.readonly import Unwritable
from shop.admin import Prices, price_column

from .models import Coupon, CouponUse, SavedCart


@admin.register(Coupon)
class CouponAdmin(Prices, StaffAdmin):
    list_display = ["code", "percent", "taken_off", "needed", "valid_from", "valid_to", "used", "max_uses", "is_active"]
    list_filter = ["is_active"]
    search_fields = ["code"]
    readonly_fields = ["used"]

    taken_off = price_column("amount", _("amount"))
    needed = price_column("minimum", _("minimum"))


@admin.register(CouponUse)
class CouponUseAdmin(Unwritable, StaffAdmin):
    list_display = ["coupon", "order_id", "email", "used_at"]
    list_select_related = ["coupon"]
    search_fields = ["email", "=order_id"]


@admin.register(SavedCart)
class SavedCartAdmin(Unwritable, StaffAdmin):
    list_display = ["owner", "updated_at"]
    list_select_related = ["owner"]
