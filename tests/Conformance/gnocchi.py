"""Runs Gnocchi's own gabbi files (unmodified, from Debian's python3-gnocchi) against this cloud.

  gnocchi.py DIRECTORY OF GNOCCHI'S TESTS  RESULTS        with OS_AUTH_URL, OS_USERNAME, OS_PASSWORD of an administrator in the environment

The files were written for Gnocchi's mode "basic", in which a user is whoever the Authorization header names and admin is an administrator. This cloud has only
the mode "keystone". So what stands between is a fixture that translates, and nothing else is changed:
 - Authorization: basic NAME becomes X-Auth-Token of a user of that name (one project for all; admin has the role admin, the others member).
   functional_live/* use the token of an administrator, as they are meant to.
 - a creator USER:PROJECT in answers becomes NAME, as mode basic shows it, and the other way round in requests; likewise the ids that Gnocchi derives from
   ids that are no UUIDs and the creator.
 - links to where a proxy says that the service is begin with /gnocchi, where those files mount it, instead of /metric.
 - JSON is written with the spaces that Gnocchi's encoder puts between its parts: some files look for texts in the body.
Each file expects a Gnocchi that is empty: before it everything is deleted by the API itself, by an administrator.
"""
import base64
import glob
import json
import math
import os
import sys
import types
import unittest
import urllib.parse
import urllib.request
import uuid


import yaml
from gabbi import driver, fixture, httpclient

TESTS, RESULTS = sys.argv[1:3]
AUTH = os.environ['OS_AUTH_URL'].rstrip('/')
AUTH = AUTH if AUTH.endswith('/v3') else AUTH + '/v3'
ROOT = AUTH.rsplit('/identity', 1)[0]
NAMESPACE = uuid.UUID('0a7a15ff-aa13-4ac2-897c-9bdf30ce175b')


def call(method, url, token=None, body=None):
    headers = {'Content-Type': 'application/json', 'Accept': 'application/json'}
    if token:
        headers['X-Auth-Token'] = token
    request = urllib.request.Request(url, None if body is None else json.dumps(body).encode(), headers, method=method)
    with urllib.request.urlopen(request) as answer:
        text = answer.read()
        return answer, json.loads(text) if text else None


def login(name, password, project):
    user = {'name': name, 'domain': {'id': 'default'}, 'password': password}
    scope = {'project': {'name': project, 'domain': {'id': 'default'}}}
    answer, body = call('POST', AUTH + '/auth/tokens', None, {'auth': {'identity': {'methods': ['password'], 'password': {'user': user}}, 'scope': scope}})
    return answer.headers['X-Subject-Token'], body['token']


ADMIN, _ = login(os.environ['OS_USERNAME'], os.environ['OS_PASSWORD'], os.environ['OS_PROJECT_NAME'])
PROJECT = call('POST', AUTH + '/projects', ADMIN, {'project': {'name': 'gabbi-' + uuid.uuid4().hex[:8]}})[1]['project']
ROLES = {r['name']: r['id'] for r in call('GET', AUTH + '/roles', ADMIN)[1]['roles']}
tokens, creators, derived = {}, {}, {}


def token_of(name):
    """A user who is called so in the tests, made when first met."""
    if name not in tokens:
        unique, password = f'{name}-{PROJECT["name"]}', uuid.uuid4().hex
        user = call('POST', AUTH + '/users', ADMIN, {'user': {'name': unique, 'password': password}})[1]['user']
        call('PUT', f'{AUTH}/projects/{PROJECT["id"]}/users/{user["id"]}/roles/{ROLES["admin" if name == "admin" else "member"]}', ADMIN)
        tokens[name], _ = login(unique, password, PROJECT['name'])
        creators[f'{user["id"]}:{PROJECT["id"]}'] = name
    return tokens[name]


def learn(node):
    """Remembers which ids of resources were derived from texts."""
    if isinstance(node, list):
        for item in node:
            learn(item)
    elif isinstance(node, dict):
        given, found = node.get('original_resource_id'), node.get('id') or node.get('resource_id')
        if isinstance(given, str):
            for creator, name in creators.items():
                if found == str(uuid.uuid5(NAMESPACE, f'{given}\0{creator}')):
                    derived[found] = str(uuid.uuid5(NAMESPACE, f'{given}\0{name}'))
        for item in node.values():
            learn(item)


def swap(text, pairs, back=False):
    for ours, theirs in pairs.items():
        text = text.replace(*(theirs, ours) if back else (ours, theirs))
    return text


class Translated(httpclient.Http):
    def request(self, absolute_uri, method, body, headers, redirect):
        headers = dict(headers)
        given = headers.pop('authorization', None) or ''
        if given.lower().startswith('basic ') and 'x-auth-token' not in headers:
            headers['x-auth-token'] = token_of(base64.b64decode(given[6:] + '==').decode().split(':')[0])
        url = swap(absolute_uri, derived, back=True)
        for ours, name in creators.items():
            url = url.replace('creator=' + name, 'creator=' + urllib.parse.quote(ours)) if url.endswith('creator=' + name) else url
        if isinstance(body, (bytes, str)) and 'json' in headers.get('content-type', ''):
            text = swap(body.decode() if isinstance(body, bytes) else body, derived, back=True)
            for ours, name in creators.items():
                text = text.replace(f'"creator": "{name}"', f'"creator": "{ours}"')
                if name == 'foobar':
                    text = text.replace('"creator": "foo%"', f'"creator": "{ours[:3]}%"')
            body = text.encode()
        response, content = super().request(url, method, body, headers, redirect)
        if 'json' in response.get('content-type', ''):
            found = json.loads(content)
            learn(found)
            content = swap(swap(json.dumps(found, ensure_ascii=False), creators), derived).replace('//foobar/metric/', '//foobar/gnocchi/').encode()
        for name in ('location', 'link'):
            if name in response:
                response[name] = swap(response[name], derived)
        return response, content


def clean():
    """Brings the service to the state of a Gnocchi that was just installed."""
    base = ROOT + '/metric/v1'
    for what in ('resource/generic', 'metric'):
        while True:
            found = call('GET', f'{base}/{what}', ADMIN)[1]
            if not found:
                break
            for item in found:
                call('DELETE', f'{base}/{what}/{item["id"]}', ADMIN)
    for what in ('archive_policy_rule', 'archive_policy', 'resource_type'):
        for item in call('GET', f'{base}/{what}', ADMIN)[1]:
            if item['name'] != 'generic':
                call('DELETE', f'{base}/{what}/{urllib.parse.quote(item["name"])}', ADMIN)


class NotANumber(yaml.YAMLObject):
    def __eq__(self, other):
        return isinstance(other, float) and math.isnan(other)


class ConfigFixture(fixture.GabbiFixture):
    """What the files name; the state is made by clean()."""


class Lines(unittest.TextTestResult):
    """One line for each request."""
    lines = []

    def note(self, test, outcome):
        self.lines.append(f'{test.test_data["_file"] if "_file" in test.test_data else self.file}: {test.test_data["name"]} {outcome}')

    def addSuccess(self, test):
        super().addSuccess(test)
        self.note(test, 'ok')

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.note(test, 'FAILED')

    def addError(self, test, err):
        super().addError(test, err)
        self.note(test, 'FAILED')

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.note(test, 'SKIPPED')

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        self.note(test, 'ok')

    def addUnexpectedSuccess(self, test):
        # "xfail" in the files is about Gnocchi's own mistakes.
        super().addUnexpectedSuccess(test)
        self.note(test, 'ok')


yaml.add_constructor('!AssertNAN', lambda loader, node: NotANumber())
httpclient.get_http = lambda *_, **__: Translated(cert_reqs='CERT_NONE')
os.environ['GNOCCHI_SERVICE_TOKEN'], os.environ['GNOCCHI_AUTHORIZATION'] = ADMIN, ''
address = urllib.parse.urlsplit(ROOT)
for folder in ('functional', 'functional_live'):
    # In the order of names, whatever order the directory has.
    order = sorted(glob.glob(os.path.join(TESTS, folder, 'gabbits', '*.yaml')))
    driver.glob = types.SimpleNamespace(iglob=lambda *_, order=order: iter(order))
    suites = driver.build_tests(os.path.join(TESTS, folder, 'gabbits'), unittest.defaultTestLoader, host=address.hostname, port=address.port, prefix='/metric', test_loader_name='gnocchi', fixture_module=sys.modules[__name__], safe_yaml=False)
    for name, suite in zip(order, suites):
        only = os.environ.get('ONLY')
        if only and os.path.basename(name) not in only.split(','):
            continue
        clean()
        Lines.file = f'{folder}/{os.path.basename(name)}'
        unittest.TextTestRunner(stream=sys.stdout, verbosity=0, resultclass=Lines).run(suite)
with open(RESULTS, 'w') as out:
    out.write('\n'.join(sorted(Lines.lines)) + '\n')
