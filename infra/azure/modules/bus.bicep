// The namespace and all its queues. A test compares them with the list of triggers (tests/Contract/BicepTests.cs).
param name string
param location string
param hosts string[]
param principal string
param endpoints string
param zones object

// As functions/Triggers.cs says: those with sessions keep the order of what concerns one thing.
var triggers = [
  { name: 'alarm-due', sessions: false }
  { name: 'alarm-notify', sessions: false }
  { name: 'budgets', sessions: false }
  { name: 'events', sessions: true }
  { name: 'image-imports', sessions: false }
  { name: 'metric-clear', sessions: false }
  { name: 'metric-watch', sessions: false }
  { name: 'object-sync', sessions: true }
  { name: 'outbox', sessions: false }
  { name: 'replies', sessions: false }
  { name: 'saga-watch', sessions: false }
  { name: 'sagas', sessions: true }
  { name: 'webhooks', sessions: true }
  { name: 'webhooks-due', sessions: false }
  { name: 'webhooks-slow', sessions: true }
]

var commands = [for h in hosts: { name: 'host.${h}', sessions: false }]

resource namespace 'Microsoft.ServiceBus/namespaces@2024-01-01' = {
  name: name
  location: location
  // Sessions begin with Standard, private endpoints with Premium.
  sku: empty(endpoints) ? { name: 'Standard', tier: 'Standard' } : { name: 'Premium', tier: 'Premium', capacity: 1 }
  properties: {
    minimumTlsVersion: '1.2'
    publicNetworkAccess: empty(endpoints) ? 'Enabled' : 'Disabled'
    // No keys: host and process show tokens of the identity.
    disableLocalAuth: true
  }

  // One at a time: the namespace refuses changes that come together.
  @batchSize(1)
  resource queue 'queues' = [for q in concat(triggers, commands): {
    name: q.name
    properties: {
      requiresSession: q.sessions
      maxDeliveryCount: 10
      lockDuration: 'PT5M'
      // What nobody read in two weeks is put aside and shown, not lost.
      defaultMessageTimeToLive: 'P14D'
      deadLetteringOnMessageExpiration: true
      // On it would drop an id that was sent before and is done, and our ids come again.
      requiresDuplicateDetection: false
    }
  }]

  // Answers to a request that waits: each is a session. Whoever asked is gone after some minutes, and what comes then is worth nothing.
  resource answers 'queues' = {
    name: 'answers'
    dependsOn: [queue]
    properties: { requiresSession: true, maxDeliveryCount: 10, lockDuration: 'PT5M', defaultMessageTimeToLive: 'PT10M', deadLetteringOnMessageExpiration: false, requiresDuplicateDetection: false }
  }
}

// Azure Service Bus Data Owner: the host reads the triggers' queues, and scaling asks how long they are; the process sends anywhere, reads answers, hosts' queues and dead letters.
var role = '090c5cfd-751d-490a-894a-3ce6f1109419'

resource granted 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(namespace.id, principal, role)
  scope: namespace
  properties: { roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role), principalId: principal, principalType: 'ServicePrincipal' }
}

module endpoint 'endpoint.bicep' = if (!empty(endpoints)) {
  name: '${name}-endpoint'
  params: { name: name, location: location, target: namespace.id, part: 'namespace', subnet: endpoints, zone: zones.namespace }
}

output name string = namespace.name
