# What both remote functions ask the relay before they begin. Standard library only, Python >= 3.6.
import json


def streamrelay_ask(relay_url, channel_id, relay_secret, what=""):
    """GETs what the relay has of the channel: (status, body). The status is None where none answers."""
    import urllib.error
    import urllib.request

    for url in relay_url.split(","):
        url = url.strip().rstrip("/")
        if url.startswith("ws"):
            url = "http" + url[2:]
        request = urllib.request.Request("%s/v1/channels/%s%s" % (url, channel_id, what))
        if relay_secret:
            request.add_header("Authorization", "Bearer " + relay_secret)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except (OSError, ValueError):
            continue
    return None, b""


def streamrelay_over(relay_url, channel_id, relay_secret):
    """Why nobody waits any more, in a word: cancelled, ended, or how it is gone. None while somebody does."""
    if not relay_secret:
        return None
    status, body = streamrelay_ask(relay_url, channel_id, relay_secret)
    try:
        answer = json.loads(body.decode("utf-8"))
        if status == 200:
            return "cancelled" if answer.get("cancel") else "ended" if answer.get("end") else None
        # a proxy's refusal has another form
        code = answer["error"]["code"]
        return code if code in ("unauthorized", "not_found", "expired", "ended") else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def streamrelay_answer(**facts):
    """What a remote function returns: one text, which every version of Globus Compute can carry."""
    import os

    return json.dumps(dict(facts, streamrelay=1, node=os.uname()[1]), allow_nan=False)
