// The Function App and the resources that it needs, in one resource group.

@description('Region of all resources.')
param location string

@description('Part of all names.')
param workload string

@description('PacketCapture__AllowedScopes: machines that may be captured.')
param allowedScopes string

@description('Existing account for the capture files; empty creates one.')
param captureStorageAccountId string

@description('Days until a capture file in a created account is deleted; 0 keeps it.')
param captureRetentionDays int

@description('Days in which a capture file in a created account can be neither changed nor deleted; 0 is off.')
param immutableDays int

@description('Days until the record of an incident is deleted; 0 keeps it.')
param recordRetentionDays int

@description('PacketCapture__Name.')
param captureName string

@description('PacketCapture__TimeLimitInSeconds.')
param timeLimitInSeconds int

@description('Settings of profiles, named without PacketCapture__Profiles__.')
param profiles object

@description('Notification__WebhookUrl. Empty: notifications go to the log only.')
@secure()
param notificationWebhookUrl string

@description('Notification__Format.')
param notificationFormat string

@description('Alert__WriteBack.')
param alertWriteBack bool

@description('Version of the runtime named custom.')
param runtimeVersion string

@description('Memory of an instance in MB.')
param instanceMemoryMB int

@description('Maximum number of instances.')
param maximumInstanceCount int

@description('Tags of all resources that support tags.')
param tags object

var unique = uniqueString(subscription().id, resourceGroup().id, workload)
// Names of storage accounts: at most 24 lower-case letters and digits.
var hostAccountName = 'stfunc${unique}'
var captureAccountName = 'stcap${unique}'
var packageContainer = 'app-package'
var clouds = {
  AzureCloud: 'AzurePublicCloud'
  AzureUSGovernment: 'AzureUSGovernment'
  AzureChinaCloud: 'AzureChinaCloud'
}
var blobDataOwner = 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
var queueDataContributor = '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
var metricsPublisher = '3913510d-42f4-4e42-8a64-420c390055eb'

var settings = [
  {
    name: 'AzureWebJobsStorage__blobServiceUri'
    value: hostAccount.properties.primaryEndpoints.blob
  }
  {
    name: 'AzureWebJobsStorage__queueServiceUri'
    value: hostAccount.properties.primaryEndpoints.queue
  }
  {
    name: 'AzureWebJobsStorage__credential'
    value: 'managedidentity'
  }
  {
    name: 'AzureWebJobsStorage__clientId'
    value: identity.properties.clientId
  }
  {
    name: 'APPLICATIONINSIGHTS_CONNECTION_STRING'
    value: insights.properties.ConnectionString
  }
  {
    name: 'APPLICATIONINSIGHTS_AUTHENTICATION_STRING'
    value: 'ClientId=${identity.properties.clientId};Authorization=AAD'
  }
  {
    name: 'AzureCredential'
    value: 'ManagedIdentity'
  }
  {
    name: 'AZURE_CLIENT_ID'
    value: identity.properties.clientId
  }
  {
    name: 'AzureEnvironment'
    value: clouds[environment().name]
  }
  {
    name: 'JobQueue__Kind'
    value: 'storage'
  }
  {
    name: 'JobQueue__StorageAccountId'
    value: hostAccount.id
  }
  {
    name: 'Alert__WriteBack'
    value: toLower(string(alertWriteBack))
  }
  {
    name: 'PacketCapture__AllowedScopes'
    value: allowedScopes
  }
  {
    name: 'PacketCapture__Name'
    value: captureName
  }
  {
    name: 'PacketCapture__StorageAccountId'
    value: empty(captureStorageAccountId) ? captureAccount.id : captureStorageAccountId
  }
  {
    name: 'PacketCapture__TimeLimitInSeconds'
    value: string(timeLimitInSeconds)
  }
  {
    name: 'Readiness__DrillSchedule'
    value: '0 30 2 * * *'
  }
  {
    name: 'Readiness__Schedule'
    value: '0 0 16 * * *'
  }
]
var profileSettings = map(items(profiles), setting => {
  name: 'PacketCapture__Profiles__${setting.key}'
  value: string(setting.value)
})
var notificationSettings = [
  {
    name: 'Notification__WebhookUrl'
    value: notificationWebhookUrl
  }
  {
    name: 'Notification__Format'
    value: notificationFormat
  }
]

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: 'id-${workload}'
  location: location
  tags: tags
}

// The host's account: package, keys, jobs and the incident record. Its keys are not needed.
resource hostAccount 'Microsoft.Storage/storageAccounts@2023-05-01' = {
  name: hostAccountName
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: 'Standard_LRS'
  }
  properties: {
    allowBlobPublicAccess: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: 'Allow'
    }
    supportsHttpsTrafficOnly: true
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2023-05-01' = {
  parent: hostAccount
  name: 'default'
}

resource package 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' = {
  parent: blobs
  name: packageContainer
  properties: {
    publicAccess: 'None'
  }
}

resource record 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' = {
  parent: blobs
  name: 'packet-capture-incidents'
  properties: {
    publicAccess: 'None'
  }
}

resource queues 'Microsoft.Storage/storageAccounts/queueServices@2023-05-01' = {
  parent: hostAccount
  name: 'default'
}

resource jobs 'Microsoft.Storage/storageAccounts/queueServices/queues@2023-05-01' = {
  parent: queues
  name: 'packet-capture-jobs'
}

resource poison 'Microsoft.Storage/storageAccounts/queueServices/queues@2023-05-01' = {
  parent: queues
  name: 'packet-capture-jobs-poison'
}

// The function creates the container with its first record.
resource recordRetention 'Microsoft.Storage/storageAccounts/managementPolicies@2023-05-01' = if (recordRetentionDays > 0) {
  parent: hostAccount
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'delete-old-records'
          enabled: true
          type: 'Lifecycle'
          definition: {
            filters: {
              blobTypes: [
                'blockBlob'
              ]
              prefixMatch: [
                'packet-capture-incidents/'
              ]
            }
            actions: {
              baseBlob: {
                delete: {
                  daysAfterModificationGreaterThan: recordRetentionDays
                }
              }
            }
          }
        }
      ]
    }
  }
}

// Network Watcher writes here with a SAS that an account key signs: shared keys cannot be forbidden.
resource captureAccount 'Microsoft.Storage/storageAccounts@2023-05-01' = if (empty(captureStorageAccountId)) {
  name: captureAccountName
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: 'Standard_LRS'
  }
  properties: {
    allowBlobPublicAccess: false
    allowSharedKeyAccess: true
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: 'Allow'
    }
    supportsHttpsTrafficOnly: true
  }
}

resource retention 'Microsoft.Storage/storageAccounts/managementPolicies@2023-05-01' = if (empty(captureStorageAccountId) && captureRetentionDays > 0) {
  parent: captureAccount
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'delete-old-captures'
          enabled: true
          type: 'Lifecycle'
          definition: {
            filters: {
              blobTypes: [
                'blockBlob'
              ]
              prefixMatch: [
                'network-watcher-logs/'
              ]
            }
            actions: {
              baseBlob: {
                delete: {
                  daysAfterModificationGreaterThan: captureRetentionDays
                }
              }
            }
          }
        }
      ]
    }
  }
}

resource captureBlobs 'Microsoft.Storage/storageAccounts/blobServices@2023-05-01' = if (empty(captureStorageAccountId) && immutableDays > 0) {
  parent: captureAccount
  name: 'default'
}

// Network Watcher creates the container by itself, but the policy needs it before the first capture.
resource captureFiles 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' = if (empty(captureStorageAccountId) && immutableDays > 0) {
  parent: captureBlobs
  name: 'network-watcher-logs'
  properties: {
    publicAccess: 'None'
  }
}

// Unlocked: an owner can shorten or delete it. Locking is final, so it is done by hand.
resource immutability 'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies@2023-05-01' = if (empty(captureStorageAccountId) && immutableDays > 0) {
  parent: captureFiles
  name: 'default'
  properties: {
    // How the agent writes is not known; files that it appends to stay possible with this.
    allowProtectedAppendWritesAll: true
    immutabilityPeriodSinceCreationInDays: immutableDays
  }
}

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' = {
  name: 'log-${workload}'
  location: location
  tags: tags
  properties: {
    retentionInDays: 30
    sku: {
      name: 'PerGB2018'
    }
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: 'appi-${workload}'
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    DisableLocalAuth: true
    WorkspaceResourceId: workspace.id
  }
}

resource blobAssignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(resourceGroup().id, workload, blobDataOwner)
  scope: hostAccount
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataOwner)
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

resource queueAssignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(resourceGroup().id, workload, queueDataContributor)
  scope: hostAccount
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', queueDataContributor)
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

resource metricsAssignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(resourceGroup().id, workload, metricsPublisher)
  scope: insights
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', metricsPublisher)
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: 'asp-${workload}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
  }
}

resource site 'Microsoft.Web/sites@2024-04-01' = {
  name: 'func-${workload}-${unique}'
  location: location
  tags: tags
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identity.id}': {}
    }
  }
  // The host reads its keys and its package as soon as it starts.
  dependsOn: [
    package
    record
    jobs
    poison
    blobAssignment
    queueAssignment
  ]
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientCertEnabled: false
    publicNetworkAccess: 'Enabled'
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${hostAccount.properties.primaryEndpoints.blob}${packageContainer}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identity.id
          }
        }
      }
      runtime: {
        name: 'custom'
        version: runtimeVersion
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
      }
    }
    siteConfig: {
      appSettings: concat(settings, profileSettings, empty(notificationWebhookUrl) ? [] : notificationSettings)
      http20Enabled: true
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
    }
  }
}

// Passwords for publishing are disabled: the package is published with an Entra token.
resource ftp 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = {
  parent: site
  name: 'ftp'
  properties: {
    allow: false
  }
}

resource scm 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = {
  parent: site
  name: 'scm'
  properties: {
    allow: false
  }
}

output functionAppName string = site.name
output principalId string = identity.properties.principalId
output clientId string = identity.properties.clientId
output captureAccountName string = empty(captureStorageAccountId) ? captureAccountName : last(split(captureStorageAccountId, '/'))
