// Where the Functions host writes its own log and ours. Nobody writes without the identity.
param name string
param location string
param days int
param principal string

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' = {
  name: name
  location: location
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: days
    // A loop that logs must not cost more than the cloud.
    workspaceCapping: { dailyQuotaGb: 1 }
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: name
  location: location
  kind: 'web'
  properties: { Application_Type: 'web', WorkspaceResourceId: workspace.id, DisableLocalAuth: true }
}

// Monitoring Metrics Publisher.
var role = '3913510d-42f4-4e42-8a64-420c390055eb'

resource granted 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(insights.id, principal, role)
  scope: insights
  properties: { roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role), principalId: principal, principalType: 'ServicePrincipal' }
}

output connection string = insights.properties.ConnectionString
