import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from core.serving.charsets import only_utf8

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# runserver takes this one (settings.WSGI_APPLICATION): whoever edits a template wants to see it at once.
django_application = only_utf8(get_wsgi_application())

from core.caching.pages import PageCache  # noqa: E402
from core.caching.store import PageStore  # noqa: E402
from core.caching.versions import begin, listen  # noqa: E402 - reads the settings
from core.serving.start import leave_out_of_collections, limit_waiting, refuse_unsafe_start  # noqa: E402

refuse_unsafe_start()
limit_waiting()
begin()
listen()

application = PageCache(django_application, PageStore(settings.VAR_DIR))

leave_out_of_collections()
