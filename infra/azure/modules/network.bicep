// A virtual network for the app's way out and for private endpoints, with the DNS zones that lead to those.
param name string
param location string
param addresses string

resource network 'Microsoft.Network/virtualNetworks@2024-05-01' = {
  name: name
  location: location
  properties: {
    addressSpace: { addressPrefixes: [addresses] }
    subnets: [
      {
        // Flex Consumption wants its subnet delegated so, and no underscore in its name.
        name: 'app'
        properties: { addressPrefix: cidrSubnet(addresses, 26, 0), delegations: [{ name: 'functions', properties: { serviceName: 'Microsoft.App/environments' } }] }
      }
      {
        name: 'endpoints'
        properties: { addressPrefix: cidrSubnet(addresses, 26, 1), privateEndpointNetworkPolicies: 'Disabled' }
      }
    ]
  }
}

var names = {
  blob: 'privatelink.blob.${environment().suffixes.storage}'
  table: 'privatelink.table.${environment().suffixes.storage}'
  namespace: 'privatelink.servicebus.windows.net'
  vault: 'privatelink.vaultcore.azure.net'
}

resource zone 'Microsoft.Network/privateDnsZones@2020-06-01' = [for z in items(names): {
  name: z.value
  location: 'global'
}]

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2020-06-01' = [for (z, i) in items(names): {
  parent: zone[i]
  name: name
  location: 'global'
  properties: { registrationEnabled: false, virtualNetwork: { id: network.id } }
}]

output appSubnet string = resourceId('Microsoft.Network/virtualNetworks/subnets', network.name, 'app')
output endpointSubnet string = resourceId('Microsoft.Network/virtualNetworks/subnets', network.name, 'endpoints')

@description('Zones by what they are of: blob, table, namespace, vault.')
output zones object = toObject(items(names), z => z.key, z => resourceId('Microsoft.Network/privateDnsZones', z.value))
