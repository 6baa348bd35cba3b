// The control plane as a custom handler on Flex Consumption: nothing runs, and nothing is paid, while nobody asks.
param name string
param location string

@description('Resource id and client id of the app\'s managed identity.')
param identity string
param client string
param hostStorage string
param bus string

@description('Addresses of the state: its tables and its blobs.')
param tables string
param blobs string

@description('Address in the vault of the administrator\'s password.')
param administratorAt string
param insights string
param otlpEndpoint string
param url string
param memory int
param mostInstances int

@description('Subnet through which the app goes out. Empty: none.')
param subnet string

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: name
  location: location
  kind: 'functionapp'
  sku: { tier: 'FlexConsumption', name: 'FC1' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2024-04-01' = {
  name: name
  location: location
  kind: 'functionapp,linux'
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identity}': {} } }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientAffinityEnabled: false
    keyVaultReferenceIdentity: identity
    virtualNetworkSubnetId: empty(subnet) ? null : subnet
    siteConfig: { minTlsVersion: '1.2', http20Enabled: true }
    functionAppConfig: {
      // What the catalogue of Flex Consumption says of custom handlers: any other version is taken, and never starts (Azure-Functions issue 2666).
      runtime: { name: 'custom', version: '1.0' }
      scaleAndConcurrency: { instanceMemoryMB: memory, maximumInstanceCount: mostInstances }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: 'https://${hostStorage}.blob.${environment().suffixes.storage}/app'
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identity }
        }
      }
    }
  }

  resource settings 'config' = {
    name: 'appsettings'
    properties: union({
      // Of the Functions host.
      AzureWebJobsStorage__accountName: hostStorage
      AzureWebJobsStorage__credential: 'managedidentity'
      AzureWebJobsStorage__clientId: client
      ServiceBus__fullyQualifiedNamespace: '${bus}.servicebus.windows.net'
      ServiceBus__credential: 'managedidentity'
      ServiceBus__clientId: client
      APPLICATIONINSIGHTS_CONNECTION_STRING: insights
      APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${client};Authorization=AAD'
      // Of our process. Addresses, to which it shows tokens of the identity; the only secret is in the vault.
      CLOUD_TABLES: tables
      CLOUD_BLOBS: blobs
      CLOUD_BUS: 'sb://${bus}.servicebus.windows.net'
      AZURE_CLIENT_ID: client
      CLOUD_ADMIN_PASSWORD: '@Microsoft.KeyVault(SecretUri=${administratorAt})'
    }, empty(url) ? {} : {
      CLOUD_URL: url
    }, empty(otlpEndpoint) ? {} : {
      OTEL_EXPORTER_OTLP_ENDPOINT: otlpEndpoint
    })
  }

  // No passwords for publishing: whoever deploys shows a token.
  resource publishing 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }

  resource publishingByFtp 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: { allow: false }
  }
}

output name string = app.name
output host string = app.properties.defaultHostName
