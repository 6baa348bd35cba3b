"""Makes what every tempest run needs, once (two images, two flavors, a public network), and prints it as shell assignments."""
import os
import sys
import openstack
from keystoneauth1 import session
from keystoneauth1.identity import v3

c = openstack.connect()


def image(name):
    return (c.image.find_image(name) or c.image.create_image(
        name=name, disk_format='raw', container_format='bare', visibility='public', data=b'\0' * 65536)).id


def flavor(name, ram):
    return (c.compute.find_flavor(name) or c.compute.create_flavor(name=name, ram=ram, vcpus=1, disk=1)).id


def public():
    net = c.network.find_network('public')
    if not net:
        net = c.network.create_network(
            name='public', is_router_external=True, provider_network_type='flat', provider_physical_network='public')
        c.network.create_subnet(
            network_id=net.id, ip_version=4, cidr='172.24.4.0/24', gateway_ip='172.24.4.1', enable_dhcp=False, name='public-subnet')
    return net.id


def elsewhere():
    """The same service by a second name: what is staged by one is imported and deleted by the other."""
    # The catalog is the whole cloud's: where scopes are enforced, a project's administrator doesn't write it.
    e = os.environ
    identity = openstack.connection.Connection(session=session.Session(v3.Password(
        e['OS_AUTH_URL'], username=e['OS_USERNAME'], password=e['OS_PASSWORD'],
        user_domain_id=e['OS_USER_DOMAIN_ID'], system_scope='all'))).identity
    if not identity.find_service('elsewhere'):
        url = c.session.get_endpoint(service_type='image', interface='public')
        service = identity.create_service(name='elsewhere', type='image_remote')
        identity.create_endpoint(service_id=service.id, interface='public', region_id=c.config.region_name, url=url)
    return 'image_remote'


def attempt(make, *args):  # a cloud without that service still runs the other tests
    try:
        return make(*args)
    except Exception as e:
        print(f'prepare: {make.__name__}: {e}', file=sys.stderr)
        return ''


print(f'IMAGE={attempt(image, "tempest1")} IMAGE_ALT={attempt(image, "tempest2")} '
      f'FLAVOR={attempt(flavor, "t.nano", 64)} FLAVOR_ALT={attempt(flavor, "t.micro", 128)} PUBLIC={attempt(public)} ELSEWHERE={attempt(elsewhere)}')
