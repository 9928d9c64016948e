"""All five providers with nothing but urllib, or requests where it is installed."""

import base64
import json
import os
import urllib.error
import urllib.parse
import urllib.request

try:
    import requests
except ImportError:
    requests = None

CONTROL = os.environ["CONTROL"]
HTTP = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def send(method, url, headers=None, body=None):
    """The status and the text of an answer."""
    if requests:
        session = requests.Session()
        session.trust_env = False
        answer = session.request(method, url, headers=headers, data=body, timeout=10)
        return answer.status_code, answer.text
    data = body.encode() if body is not None else (b"" if method == "POST" else None)
    request = urllib.request.Request(url, data, headers or {}, method=method)
    try:
        with HTTP.open(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def control(method, path, body=None):
    headers = {"Content-Type": "application/json"}
    status, text = send(method, f"{CONTROL}/{path}", headers, json.dumps(body or {}))
    assert status == 200, (status, text)
    return json.loads(text)


def env(name):
    return os.environ[name]


def digitalpaye():
    pair = f"{env('DIGITALPAYE_API_KEY')}:{env('DIGITALPAYE_API_SECRET')}"
    headers = {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
    return send("POST", env("DIGITALPAYE_BASE_URL") + "/v1/auth", headers)


def digishare():
    body = {
        "grant_type": "client_credentials",
        "client_id": env("DIGISHARE_CLIENT_ID"),
        "client_secret": env("DIGISHARE_CLIENT_SECRET"),
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    url = env("DIGISHARE_BASE_URL") + "/v1/oauth/token"
    return send("POST", url, headers, urllib.parse.urlencode(body))


def tresorpay():
    body = {
        "grant_type": "client_credentials",
        "client_id": env("TRESORPAY_CLIENT_ID"),
        "client_secret": env("TRESORPAY_CLIENT_SECRET"),
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return send("POST", env("TRESORPAY_TOKEN_URL"), headers, urllib.parse.urlencode(body))


def papaya():
    body = {"api_key": env("PAPAYA_API_KEY"), "client_secret": env("PAPAYA_CLIENT_SECRET")}
    headers = {"Content-Type": "application/json"}
    return send("POST", env("PAPAYA_BASE_URL") + "/token", headers, json.dumps(body))


def manis():
    headers = {"x-merchant-id": env("MANIS_MERCHANT_ID"), "x-secret": env("MANIS_SECRET")}
    return send("POST", env("MANIS_BASE_URL") + "/api/v1/auth/token", headers)


for ask in (digitalpaye, digishare, tresorpay, papaya, manis):
    provider = ask.__name__
    control("POST", "faults", {"provider": provider, "fault": {"kind": "status", "status": 503}})
    assert ask()[0] == 503, provider
    control("DELETE", f"faults?provider={provider}")
    status, text = ask()
    assert status in (200, 201) and "ey" in text, (provider, status, text)
    last = control("GET", "journal?limit=1")["records"][0]
    assert (last["provider"], last["verdict"]) == (provider, "granted"), last
print("five of five")
