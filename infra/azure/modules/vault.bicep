// The three secrets: the state's account, the bus, the administrator. The app's settings only refer to them.
param name string
param location string

@secure()
param adminPassword string

@description('Name of the account that holds the state.')
param storage string

@description('Name of the namespace, and of its policy.')
param bus string
param policy string
param principal string
param endpoints string
param zones object

resource account 'Microsoft.Storage/storageAccounts@2024-01-01' existing = { name: storage }

resource rule 'Microsoft.ServiceBus/namespaces/AuthorizationRules@2024-01-01' existing = { name: '${bus}/${policy}' }

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' = {
  name: name
  location: location
  properties: {
    tenantId: subscription().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enablePurgeProtection: true
    // So long a vault that was deleted keeps its name, and a new deployment into the same group fails.
    softDeleteRetentionInDays: 7
    publicNetworkAccess: empty(endpoints) ? 'Enabled' : 'Disabled'
    networkAcls: { defaultAction: empty(endpoints) ? 'Allow' : 'Deny', bypass: 'None' }
  }

  resource state 'secrets' = {
    name: 'state'
    properties: { value: 'DefaultEndpointsProtocol=https;AccountName=${account.name};AccountKey=${account.listKeys().keys[0].value};EndpointSuffix=${environment().suffixes.storage}' }
  }

  resource connection 'secrets' = {
    name: 'bus'
    properties: { value: rule.listKeys().primaryConnectionString }
  }

  resource password 'secrets' = {
    name: 'admin-password'
    properties: { value: adminPassword }
  }
}

// Key Vault Secrets User: reads values, lists nothing it need not.
var role = '4633458b-17de-408a-b874-0445c86b69e6'

resource granted 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, principal, role)
  scope: vault
  properties: { roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role), principalId: principal, principalType: 'ServicePrincipal' }
}

module endpoint 'endpoint.bicep' = if (!empty(endpoints)) {
  name: '${name}-endpoint'
  params: { name: name, location: location, target: vault.id, part: 'vault', subnet: endpoints, zone: zones.vault }
}

output name string = vault.name

@description('Where each secret is. Without a version: a new value is taken up within a day, or when the app starts.')
output addresses object = {
  state: vault::state.properties.secretUri
  bus: vault::connection.properties.secretUri
  adminPassword: vault::password.properties.secretUri
}
