# HTCondor's own web application on the socket at which nginx expects the portal.
import os
import sys

sys.path.append('/usr/libexec/condor')
from credmon.CredentialMonitors.OAuthCredmonWebserver import app
from werkzeug.serving import make_server

SOCKET = '/run/condor_credmon_web/socket'
server = make_server('unix://' + SOCKET, 0, app)
os.chmod(SOCKET, 0o770)
print('serves', SOCKET, flush=True)
server.serve_forever()
