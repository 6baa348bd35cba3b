// One storage account: no public blobs, TLS 1.2 at least, no keys: whoever comes shows a token.
param name string
param location string
param copies string

param containers string[]
param tables string[]

@description('The identity that uses it, and the role it has for blobs. For tables it is the same in both accounts.')
param principal string
param blobRole string

@description('Subnet of private endpoints. Empty: the account has a public address, and still asks everybody who he is.')
param endpoints string
param zones object

resource account 'Microsoft.Storage/storageAccounts@2024-01-01' = {
  name: name
  location: location
  kind: 'StorageV2'
  sku: { name: copies }
  properties: {
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    allowBlobPublicAccess: false
    allowSharedKeyAccess: false
    allowCrossTenantReplication: false
    publicNetworkAccess: empty(endpoints) ? 'Enabled' : 'Disabled'
    networkAcls: { defaultAction: empty(endpoints) ? 'Allow' : 'Deny', bypass: 'None' }
  }

  resource blobs 'blobServices' = {
    name: 'default'
    properties: {
      // Our own sweeps delete for good; this is against a slip of the hand.
      deleteRetentionPolicy: { enabled: true, days: 7 }
      containerDeleteRetentionPolicy: { enabled: true, days: 7 }
    }

    resource container 'containers' = [for c in containers: {
      name: c
      properties: { publicAccess: 'None' }
    }]
  }

  resource tableService 'tableServices' = {
    name: 'default'

    resource table 'tables' = [for t in tables: { name: t }]
  }
}

// Storage Table Data Contributor: the host's diagnostic events, our state.
var roles = [blobRole, '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3']

resource granted 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in roles: {
  name: guid(account.id, principal, role)
  scope: account
  properties: { roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role), principalId: principal, principalType: 'ServicePrincipal' }
}]

module endpoint 'endpoint.bicep' = [for part in ['blob', 'table']: if (!empty(endpoints)) {
  name: '${name}-${part}'
  params: { name: '${name}-${part}', location: location, target: account.id, part: part, subnet: endpoints, zone: zones[part] }
}]

output name string = account.name

@description('Addresses, without a slash at their ends.')
output tables string = take(account.properties.primaryEndpoints.table, length(account.properties.primaryEndpoints.table) - 1)
output blobs string = take(account.properties.primaryEndpoints.blob, length(account.properties.primaryEndpoints.blob) - 1)
