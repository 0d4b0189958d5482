"""What each permission of the admin means. A new table, permission or page of staff needs its line here."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Table:
    """Names are parted by spaces; columns and tables of other tables are written with their app."""

    opens: str = ""  # which of view, add, change and delete open anything
    hides: str = ""  # columns of its own that nobody sees there
    others: str = ""  # columns of other tables that its pages show
    shown_to_change: str = ""  # columns that only those see who may change
    # The tables that whoever has this one permission can change, by every form and every action there is.
    view: str = ""
    add: str = ""
    change: str = ""
    delete: str = ""
    own: str = ""  # permissions beside the four

    def shown(self, model: Any, verb: str) -> set[str]:
        its = {"view" if verb == "change" else verb, verb} & set(self.opens.split())
        if not its:
            return set()
        label = model._meta.label
        columns = {f"{label}.{field.name}" for field in model._meta.concrete_fields}
        shown = columns - {f"{label}.{name}" for name in self.hides.split()} | set(self.others.split())
        return shown | set(self.shown_to_change.split()) if verb == "change" else shown


ALL = "view add change delete"
SEEN = "view"  # whoever may "change" may look, also where there is nothing to change
NAME = "account.User.first_name account.User.last_name "
INDEX = "search.Document search.Trigram search.Word "

# What opens an account, an order, a draft or somebody's subscription is on no page, whatever the permissions.
NEVER_SHOWN = {
    "account.RecoveryCode.digest",
    "account.SecondFactor.secret",
    "account.Session.session_data",
    "account.Session.session_key",
    "account.User.password",
    "mail.OutgoingMail.dedup_key",
    "payment.CheckoutAttempt.params",
    "payment.CheckoutAttempt.url",
    "payment.WebhookEvent.payload",
    "shop.StockAlert.token",
    "sessions.Session.session_key",
    "social_django.UserSocialAuth.extra_data",
}
# What makes more of oneself or of others: no permission changes it, only superusers do.
NEVER_CHANGED = {
    *("account.User.is_staff", "account.User.is_superuser"),
    *(f"account.User_groups.{name}" for name in ("id", "user_id", "group_id")),
    *(f"account.User_user_permissions.{name}" for name in ("id", "user_id", "permission_id")),
    *(f"auth.Group_permissions.{name}" for name in ("id", "group_id", "permission_id")),
    "auth.Group.name",
}

# Pages of staff outside the admin, and the one permission that opens each.
PAGES = {
    "orders:admin_order_detail": "orders.view_order",
    "orders:admin_order_handle": "orders.change_order",
    "orders:admin_order_pdf": "orders.view_order",
    "payment:refund": "payment.add_refund",
    "payment:refund_settle": "payment.add_refund",
}

TABLES = {
    # --- People ---
    "account.User": Table(
        opens="view add change",
        hides="password photo",
        # A new address or password; switched off, the person is logged out; "delete the account" takes all that is theirs.
        change="account.MuteOrBlock account.Follow account.RecoveryCode account.SecondFactor account.Session account.User "
        "actions.Action blog.Comment cart.CouponUse cart.SavedCart images.Image images.Like mail.OutgoingMail "
        "shop.StockAlert social_django.UserSocialAuth",
    ),
    "account.Follow": Table(opens=f"{SEEN} delete", others=NAME, delete="account.Follow"),
    "account.MuteOrBlock": Table(opens=f"{SEEN} delete", others=NAME, delete="account.MuteOrBlock"),
    "account.SecondFactor": Table(opens=SEEN, hides="secret", others=NAME),
    "account.RecoveryCode": Table(opens=SEEN, hides="digest", others=NAME),
    "account.Registration": Table(),
    "account.Session": Table(),
    "account.Tries": Table(),
    "auth.Group": Table(),
    "auth.Permission": Table(),
    # --- What people did ---
    "actions.Action": Table(opens=f"{SEEN} delete", others=NAME, delete="actions.Action"),
    "actions.View": Table(opens=f"{SEEN} delete", delete="actions.View"),
    "actions.ViewBatch": Table(opens=f"{SEEN} delete", delete="actions.ViewBatch"),
    "actions.ViewCount": Table(opens=f"{SEEN} delete", delete="actions.ViewCount"),
    # --- Blog ---
    "blog.Post": Table(
        opens=ALL,
        hides="preview_key",
        others=NAME
        + "account.User.username blog.Tag.name blog.Revision.title blog.Revision.body blog.Revision.excerpt",
        add=INDEX + "actions.Action blog.Post blog.PostTag blog.Revision blog.Tag blog.PostCount",
        change="blog.Mention blog.Post blog.PostTag blog.PostCount",
    ),
    "blog.Comment": Table(
        opens="view change delete",
        others=NAME + "blog.Post.title blog.Post.slug",
        change="actions.Action blog.BannedAddress blog.Comment",
        delete="blog.Comment",
    ),
    "blog.BannedAddress": Table(
        opens=ALL, add="blog.BannedAddress", change="blog.BannedAddress", delete="blog.BannedAddress"
    ),
    "blog.Tag": Table(opens=ALL, add="blog.Tag", change="blog.Post blog.Tag blog.TagAlias"),
    "blog.TagAlias": Table(
        opens=ALL, others="blog.Tag.name", add="blog.TagAlias", change="blog.TagAlias", delete="blog.TagAlias"
    ),
    "blog.Revision": Table(opens=f"{SEEN} delete", others=NAME + "blog.Post.title", delete="blog.Revision"),
    "blog.OldAddress": Table(opens=f"{SEEN} delete", others="blog.Post.title", delete="blog.OldAddress"),
    "blog.Mention": Table(opens=SEEN, others="blog.Post.title"),
    "blog.PostTag": Table(),
    "blog.PostCount": Table(opens=SEEN),
    # --- Pinboard ---
    "images.Image": Table(opens="view change delete", others=NAME, change="images.Image"),
    "images.Like": Table(opens=SEEN, others=NAME + "images.Image.title"),
    # --- Mail ---
    "mail.OutgoingMail": Table(opens="view change", hides="dedup_key html", change="mail.OutgoingMail"),
    "mail.ProvenAddress": Table(opens=f"{SEEN} delete", delete="mail.ProvenAddress"),
    # --- Shop ---
    "shop.Category": Table(opens=ALL, add="shop.Category", change=INDEX + "shop.Category"),
    "shop.Product": Table(
        opens=ALL, others="shop.Category.name", add=INDEX + "shop.Product shop.Category", change=INDEX + "shop.Product"
    ),
    "shop.ProductPicture": Table(),
    "shop.StockAlert": Table(
        opens=f"{SEEN} delete", hides="token", others=NAME + "shop.Product.name", delete="shop.StockAlert"
    ),
    "shop.Basket": Table(opens=SEEN),
    "shop.BoughtTogether": Table(opens=SEEN, others="shop.Product.name"),
    "cart.Coupon": Table(opens=ALL, add="cart.Coupon", change="cart.Coupon"),
    "cart.CouponUse": Table(opens=f"{SEEN} delete", others=NAME, delete="cart.CouponUse"),
    "cart.SavedCart": Table(opens=f"{SEEN} delete", others=NAME, delete="cart.SavedCart"),
    # --- Orders ---
    "orders.Order": Table(
        opens="view change",
        hides="checkout_key token",
        shown_to_change="orders.Order.token",  # "what the buyer sees" leads there
        # The start page tells them what runs out.
        others=NAME + "orders.OrderLine.name orders.OrderEvent.note orders.OrderEvent.stripe_event "
        "payment.Payment.payment_intent payment.Payment.dispute_status shop.Product.name",
        change="mail.OutgoingMail orders.Order orders.OrderEvent",
    ),
    "orders.OrderLine": Table(),
    "orders.OrderEvent": Table(),
    "orders.Invoice": Table(opens=SEEN),
    "orders.InvoiceCounter": Table(opens=SEEN),
    "orders.ShippingRate": Table(
        opens=ALL, add="orders.ShippingRate", change="orders.ShippingRate", delete="orders.ShippingRate"
    ),
    "orders.VatId": Table(opens="view change", others=NAME, change="orders.VatId"),
    "orders.Withdrawal": Table(opens=SEEN, change="orders.Withdrawal"),
    # --- Payment ---
    "payment.CheckoutAttempt": Table(opens=SEEN, hides="url params"),
    "payment.Payment": Table(opens=SEEN),
    "payment.Refund": Table(opens=SEEN, others=NAME + "payment.Payment.payment_intent"),
    "payment.Dispute": Table(opens=SEEN, others="payment.Payment.payment_intent"),
    "payment.Problem": Table(opens=SEEN, change="payment.Problem"),
    "payment.WebhookEvent": Table(opens=SEEN, hides="payload", change="payment.WebhookEvent"),
    # --- What the site keeps for itself ---
    "core.SweepRun": Table(opens=SEEN),
    "demo.DemoContent": Table(),
    "search.Document": Table(opens=SEEN),
    "search.Word": Table(),
    "search.Trigram": Table(),
    "admin.LogEntry": Table(),
    "contenttypes.ContentType": Table(),
    # --- Tables of packages, which have no pages ---
    "sessions.Session": Table(),
    "social_django.UserSocialAuth": Table(),
    "social_django.Nonce": Table(),
    "social_django.Association": Table(),
    "social_django.Code": Table(),
    "social_django.Partial": Table(),
}
