"""What the web server is started with: `granian --interface rsgi config.rsgi:application`."""

from django.conf import settings

from core.serving.site import Site

from .wsgi import application as wsgi_application

application = Site(wsgi_application, settings.WEB_THREADS)
