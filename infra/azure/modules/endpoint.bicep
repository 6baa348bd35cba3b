// An address inside the network for one part of one resource, and its name in the zone.
param name string
param location string
param target string

@description('Azure calls it group: blob, table, namespace or vault.')
param part string
param subnet string
param zone string

resource endpoint 'Microsoft.Network/privateEndpoints@2024-05-01' = {
  name: name
  location: location
  properties: {
    subnet: { id: subnet }
    privateLinkServiceConnections: [{ name: part, properties: { privateLinkServiceId: target, groupIds: [part] } }]
  }

  resource names 'privateDnsZoneGroups' = {
    name: 'default'
    properties: { privateDnsZoneConfigs: [{ name: part, properties: { privateDnsZoneId: zone } }] }
  }
}
