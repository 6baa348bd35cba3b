// Everything the cloud needs on Azure, in one resource group. How to deploy it, and what was never tried: docs/azure.md.
targetScope = 'resourceGroup'

@description('Begins the names of all resources: small letters and digits.')
@minLength(2)
@maxLength(9)
param name string = 'cloud'

@description('Region of all resources; one that has Flex Consumption.')
param location string = resourceGroup().location

@description('Password of the first administrator. It goes into the vault and nowhere else.')
@secure()
@minLength(12)
param adminPassword string

@description('Address under which clients reach the cloud, where it is a domain of your own: https://cloud.example.org. Empty: the one that Azure gives.')
param url string = ''

@description('Whether storage, bus and vault are reached by private endpoints alone. Needs Service Bus Premium, which costs by the hour, also when nothing is done.')
param privateNetwork bool = false

@description('Addresses of the virtual network, at least a /24. Only with privateNetwork.')
param addresses string = '10.90.0.0/24'

@description('Memory of one instance in MB.')
@allowed([512, 2048, 4096])
param instanceMemory int = 2048

@description('The most instances of one function group: a bound of what a flood of requests may cost.')
@minValue(40)
@maxValue(1000)
param mostInstances int = 40

@description('How many copies of the state there are, and where: in one building, in three of a region, or in a second region too.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GZRS'])
param stateCopies string = 'Standard_ZRS'

@description('Names of compute hosts: each gets a queue host.NAME for its commands.')
param hosts string[] = []

@description('Where spans and numbers go by OTLP: http://collector:4317. Empty: nowhere.')
param otlpEndpoint string = ''

@description('How many days logs are kept.')
@minValue(30)
@maxValue(730)
param logDays int = 30

@description('What the resource group may cost in a month, in the currency of the subscription; letters go out at 80 percent, and when 100 percent are foreseen.')
@minValue(1)
param monthlyBudget int = 50

@description('Who gets those letters.')
@minLength(1)
param budgetEmails string[]

@description('First month that the budget counts. A budget that exists keeps its own: name that one when you deploy again.')
param budgetFrom string = utcNow('yyyy-MM-01')

var suffix = uniqueString(resourceGroup().id)
var full = '${name}-${suffix}'

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: '${full}-app'
  location: location
}

module network 'modules/network.bicep' = if (privateNetwork) {
  name: 'network'
  params: { name: full, location: location, addresses: addresses }
}

var endpoints = privateNetwork ? network!.outputs.endpointSubnet : ''
var zones = privateNetwork ? network!.outputs.zones : {}

// Storage Blob Data Owner, as the host asks for (it takes leases and makes containers); Storage Blob Data Contributor.
var blobOwner = 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
var blobContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'

// What the Functions host needs for itself: the package, locks of timers.
module hostStorage 'modules/storage.bicep' = {
  name: 'host-storage'
  params: { name: take('${name}host${suffix}', 24), location: location, copies: 'Standard_LRS', containers: ['app'], tables: [], principal: identity.properties.principalId, blobRole: blobOwner, endpoints: endpoints, zones: zones }
}

// The state: table, images, objects.
module stateStorage 'modules/storage.bicep' = {
  name: 'state-storage'
  params: { name: take('${name}state${suffix}', 24), location: location, copies: stateCopies, containers: ['cloud', 'objects'], tables: ['cloud'], principal: identity.properties.principalId, blobRole: blobContributor, endpoints: endpoints, zones: zones }
}

module bus 'modules/bus.bicep' = {
  name: 'bus'
  params: { name: '${full}-bus', location: location, hosts: hosts, principal: identity.properties.principalId, endpoints: endpoints, zones: zones }
}

module vault 'modules/vault.bicep' = {
  name: 'vault'
  params: { name: take('${name}-${suffix}', 24), location: location, adminPassword: adminPassword, principal: identity.properties.principalId, endpoints: endpoints, zones: zones }
}

module monitor 'modules/monitor.bicep' = {
  name: 'monitor'
  params: { name: full, location: location, days: logDays, principal: identity.properties.principalId }
}

module app 'modules/app.bicep' = {
  name: 'app'
  params: {
    name: full
    location: location
    identity: identity.id
    client: identity.properties.clientId
    hostStorage: hostStorage.outputs.name
    bus: bus.outputs.name
    tables: stateStorage.outputs.tables
    blobs: stateStorage.outputs.blobs
    administratorAt: vault.outputs.administrator
    insights: monitor.outputs.connection
    otlpEndpoint: otlpEndpoint
    url: url
    memory: instanceMemory
    mostInstances: mostInstances
    subnet: privateNetwork ? network!.outputs.appSubnet : ''
  }
}

module budget 'modules/budget.bicep' = {
  name: 'budget'
  params: { name: full, amount: monthlyBudget, emails: budgetEmails, from: budgetFrom }
}

@description('Address of the cloud: OS_AUTH_URL is this and /identity/v3.')
output url string = empty(url) ? 'https://${app.outputs.host}' : url

@description('What `az functionapp` calls the app.')
output app string = app.outputs.name

output vault string = vault.outputs.name
