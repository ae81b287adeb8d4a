// Everything that alert-packet-capture needs in one subscription: the Function App on a Flex Consumption plan, its
// storage, identity and monitoring, three small custom roles with their assignments, the action group and two alert
// rules. main.json is the same for Azure Resource Manager; CI compares the two.
targetScope = 'subscription'

@description('Region of all resources.')
param location string = deployment().location

@description('Resource group of all resources. It is created if it does not exist.')
param resourceGroupName string = 'rg-alert-packet-capture'

@description('Part of all names, with the abbreviations of the Cloud Adoption Framework: func-<workload>, id-<workload> and so on.')
@minLength(3)
@maxLength(20)
param workload string = 'packet-capture'

@description('Resource groups of the machines that may be captured. Empty: all machines of the subscription.')
param machineGroups array = []

@description('Whether the identity may read alert rules, action groups and quotas, so that the function checks by day whether captures would start. A role of its own, on the subscription.')
param readinessRole bool = false

@description('Resource id of an existing storage account for the capture files. It must allow shared keys and be of a standard tier, and its own subscription must be this one. Empty: an account is created. Captures are uploaded with a SAS that an account key signs, so shared keys are allowed on the captures account, and only there.')
param captureStorageAccountId string = ''

@description('Number of days after which capture files in a created account are deleted. 0 keeps them.')
@minValue(0)
@maxValue(3650)
param captureRetentionDays int = 30

@description('Number of days in which a capture file in a created account can be neither changed nor deleted, counted from its upload. 0: off. Not tested: whether the Network Watcher agent can upload into a container with such a policy is not known, so try one capture before you rely on it.')
@minValue(0)
@maxValue(146000)
param immutableDays int = 0

@description('Number of days after which the records of incidents are deleted, counted from their last change. 0 keeps them.')
@minValue(0)
@maxValue(3650)
param recordRetentionDays int = 90

@description('Name of a capture; {vm} and {rule} are replaced. Security teams recognize the captures of this function by the first part.')
param captureName string = 'PSAzureFunction-{vm}'

@description('Maximum duration of a capture, in seconds.')
@minValue(1)
@maxValue(18000)
param timeLimitInSeconds int = 60

@description('Settings of profiles: which alerts get another capture. Names without PacketCapture__Profiles__, such as sql__Rules, and their values as texts.')
param profiles object = {}

@description('Resource ids of further storage accounts that profiles upload capture files to, in this subscription. They must allow shared keys and be of a standard tier; the identity gets the storage role on each.')
param profileStorageAccountIds array = []

@description('Webhook that receives the notifications; https. Empty: notifications go to the log only.')
@secure()
param notificationWebhookUrl string = ''

@description('Format of the notifications: json (CloudEvents), teams or slack.')
@allowed([
  'json'
  'teams'
  'slack'
])
param notificationFormat string = 'json'

@description('Whether the outcome of a capture is written to its Azure alert as a comment. It sets the alert to Acknowledged, since Azure takes a comment only with a state.')
param alertWriteBack bool = false

@description('Version of the runtime named custom. Flex Consumption requires one, although the handler has its own.')
param runtimeVersion string = '1.0'

@description('Memory of an instance in MB. The handler itself needs less than 100.')
@allowed([
  512
  2048
  4096
])
param instanceMemoryMB int = 512

@description('Maximum number of instances. Flex Consumption accepts no less than 40.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('Whether the action group and the alert rules are deployed. The action group stores the function key, which exists after the host has started once.')
param deployAlerts bool = true

@description('Resource ids of the virtual machines that the two example alert rules monitor: all of one region, the same as alertTargetRegion. Empty: no rules, only the action group.')
param alertTargets array = []

@description('Region of alertTargets.')
param alertTargetRegion string = location

@description('Threshold of the host metric rule: Network Out Total in five minutes, in bytes.')
@minValue(1)
param networkOutBytes int = 1000000000

@description('Metric namespace of the TCP rule. Empty: no such rule. Its metric comes from inside the machine: guest diagnostics or the Azure Monitor agent must send it, such as to azure.vm.windows.guestmetrics.')
param tcpMetricNamespace string = ''

@description('Metric name of the TCP rule, as the metrics explorer shows it in that namespace.')
param tcpMetricName string = 'TCP Segments Sent'

@description('Threshold of the TCP rule: segments sent in five minutes. 100 is the value of the original function, far too low for a busy machine.')
@minValue(1)
param tcpSegments int = 100

@description('Whether the function may read what changed around an alert (activity log, resource changes, metrics, health, effective rules) where the machines are. Their networks must be there, too.')
param readChanges bool = true

@description('Virtual machines of this subscription that get the Network Watcher agent: a list of objects with the members resourceGroup, name, location and osType (Linux or Windows).')
param agentMachines array = []

@description('Tags of all resources that support tags.')
param tags object = {}

var watchersRole = loadJsonContent('roles/watchers.json')
var changesRole = loadJsonContent('roles/changes.json')
var machinesRole = loadJsonContent('roles/machines.json')
var storageRole = loadJsonContent('roles/storage.json')
var readinessActions = loadJsonContent('roles/readiness.json')
var writeBackRole = loadJsonContent('roles/write-back.json')
// Names of custom roles are unique in a tenant, which may have several deployments.
var roleSuffix = '${workload} ${take(subscription().subscriptionId, 8)}'
var existingAccount = split(captureStorageAccountId, '/')

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: resourceGroupName
  location: location
  tags: tags
}

resource watchers 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, workload, 'watchers')
  properties: {
    roleName: '${watchersRole.Name} (${roleSuffix})'
    description: watchersRole.Description
    type: 'CustomRole'
    permissions: [
      {
        actions: watchersRole.Actions
        notActions: []
      }
    ]
    assignableScopes: [
      subscription().id
    ]
  }
}

resource changes 'Microsoft.Authorization/roleDefinitions@2022-04-01' = if (readChanges) {
  name: guid(subscription().id, workload, 'changes')
  properties: {
    roleName: '${changesRole.Name} (${roleSuffix})'
    description: changesRole.Description
    type: 'CustomRole'
    permissions: [
      {
        actions: changesRole.Actions
        notActions: []
      }
    ]
    assignableScopes: [
      subscription().id
    ]
  }
}

resource machines 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, workload, 'machines')
  properties: {
    roleName: '${machinesRole.Name} (${roleSuffix})'
    description: machinesRole.Description
    type: 'CustomRole'
    permissions: [
      {
        actions: machinesRole.Actions
        notActions: []
      }
    ]
    assignableScopes: [
      subscription().id
    ]
  }
}

resource storage 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, workload, 'storage')
  properties: {
    roleName: '${storageRole.Name} (${roleSuffix})'
    description: storageRole.Description
    type: 'CustomRole'
    permissions: [
      {
        actions: storageRole.Actions
        notActions: []
        dataActions: storageRole.DataActions
      }
    ]
    assignableScopes: [
      subscription().id
    ]
  }
}

resource writeBack 'Microsoft.Authorization/roleDefinitions@2022-04-01' = if (alertWriteBack) {
  name: guid(subscription().id, workload, 'write-back')
  properties: {
    roleName: '${writeBackRole.Name} (${roleSuffix})'
    description: writeBackRole.Description
    type: 'CustomRole'
    permissions: [
      {
        actions: writeBackRole.Actions
        notActions: []
      }
    ]
    assignableScopes: [
      subscription().id
    ]
  }
}

resource readiness 'Microsoft.Authorization/roleDefinitions@2022-04-01' = if (readinessRole) {
  name: guid(subscription().id, workload, 'readiness')
  properties: {
    roleName: '${readinessActions.Name} (${roleSuffix})'
    description: readinessActions.Description
    type: 'CustomRole'
    permissions: [
      {
        actions: readinessActions.Actions
        notActions: []
      }
    ]
    assignableScopes: [
      subscription().id
    ]
  }
}

module app 'modules/app.bicep' = {
  name: 'app-${workload}'
  scope: resourceGroup(resourceGroupName)
  dependsOn: [
    group
  ]
  params: {
    location: location
    workload: workload
    allowedScopes: empty(machineGroups) ? subscription().id : join(map(machineGroups, name => '${subscription().id}/resourceGroups/${name}'), ',')
    captureStorageAccountId: captureStorageAccountId
    captureRetentionDays: captureRetentionDays
    immutableDays: immutableDays
    recordRetentionDays: recordRetentionDays
    captureName: captureName
    timeLimitInSeconds: timeLimitInSeconds
    profiles: profiles
    notificationWebhookUrl: notificationWebhookUrl
    notificationFormat: notificationFormat
    alertWriteBack: alertWriteBack
    runtimeVersion: runtimeVersion
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    tags: tags
  }
}

resource watchersAssignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(subscription().id, workload, 'watchers', 'assignment')
  properties: {
    roleDefinitionId: watchers.id
    principalId: app.outputs.principalId
    principalType: 'ServicePrincipal'
  }
}

resource machinesAssignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (empty(machineGroups)) {
  name: guid(subscription().id, workload, 'machines', 'assignment')
  properties: {
    roleDefinitionId: machines.id
    principalId: app.outputs.principalId
    principalType: 'ServicePrincipal'
  }
}

resource writeBackAssignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (alertWriteBack) {
  name: guid(subscription().id, workload, 'write-back', 'assignment')
  properties: {
    roleDefinitionId: writeBack.id
    principalId: app.outputs.principalId
    principalType: 'ServicePrincipal'
  }
}

resource changesAssignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (readChanges && empty(machineGroups)) {
  name: guid(subscription().id, workload, 'changes', 'assignment')
  properties: {
    roleDefinitionId: changes.id
    principalId: app.outputs.principalId
    principalType: 'ServicePrincipal'
  }
}

resource readinessAssignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (readinessRole) {
  name: guid(subscription().id, workload, 'readiness', 'assignment')
  properties: {
    roleDefinitionId: readiness.id
    principalId: app.outputs.principalId
    principalType: 'ServicePrincipal'
  }
}

module changesGroupAssignments 'modules/group-role.bicep' = [for name in (readChanges ? machineGroups : []): {
  name: 'changes-${workload}-${uniqueString(name)}'
  scope: resourceGroup(name)
  params: {
    principalId: app.outputs.principalId
    roleDefinitionId: changes.id
  }
}]

module groupAssignments 'modules/group-role.bicep' = [for name in machineGroups: {
  name: 'role-${workload}-${uniqueString(name)}'
  scope: resourceGroup(name)
  params: {
    principalId: app.outputs.principalId
    roleDefinitionId: machines.id
  }
}]

module accountAssignment 'modules/account-role.bicep' = {
  name: 'role-${workload}-captures'
  scope: resourceGroup(empty(captureStorageAccountId) ? resourceGroupName : existingAccount[4])
  params: {
    accountName: app.outputs.captureAccountName
    principalId: app.outputs.principalId
    roleDefinitionId: storage.id
  }
}

module profileAccountAssignments 'modules/account-role.bicep' = [for account in profileStorageAccountIds: {
  name: 'role-${workload}-${uniqueString(account)}'
  scope: resourceGroup(split(account, '/')[4])
  params: {
    accountName: last(split(account, '/'))
    principalId: app.outputs.principalId
    roleDefinitionId: storage.id
  }
}]

module alerts 'modules/alerts.bicep' = if (deployAlerts) {
  name: 'alerts-${workload}'
  scope: resourceGroup(resourceGroupName)
  params: {
    workload: workload
    functionAppName: app.outputs.functionAppName
    targets: alertTargets
    targetRegion: alertTargetRegion
    networkOutBytes: networkOutBytes
    tcpMetricNamespace: tcpMetricNamespace
    tcpMetricName: tcpMetricName
    tcpSegments: tcpSegments
    tags: tags
  }
}

module agents 'modules/agent.bicep' = [for machine in agentMachines: {
  name: 'agent-${uniqueString(machine.resourceGroup, machine.name)}'
  scope: resourceGroup(machine.resourceGroup)
  params: {
    machineName: machine.name
    location: machine.location
    osType: machine.osType
  }
}]

@description('Name of the Function App: what the package is published to.')
output functionAppName string = app.outputs.functionAppName

@description('Object id of the identity: the caller that security rules see.')
output principalId string = app.outputs.principalId

@description('Client id of the identity.')
output clientId string = app.outputs.clientId

@description('Storage account of the capture files.')
output captureAccountName string = app.outputs.captureAccountName
