// The one secret that is left: the administrator's password. The app's settings only refer to it.
param name string
param location string

@secure()
param adminPassword string

param principal string
param endpoints string
param zones object

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

@description('Where the password is. Without a version: a new value is taken up within a day, or when the app starts.')
output administrator string = vault::password.properties.secretUri
