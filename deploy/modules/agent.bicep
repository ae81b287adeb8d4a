// The Network Watcher agent on one virtual machine of this resource group.

@description('Name of the virtual machine.')
param machineName string

@description('Region of the virtual machine.')
param location string

@description('Its operating system.')
@allowed([
  'Linux'
  'Windows'
])
param osType string

resource machine 'Microsoft.Compute/virtualMachines@2024-07-01' existing = {
  name: machineName
}

resource agent 'Microsoft.Compute/virtualMachines/extensions@2024-07-01' = {
  parent: machine
  name: 'AzureNetworkWatcherExtension'
  location: location
  properties: {
    publisher: 'Microsoft.Azure.NetworkWatcher'
    type: 'NetworkWatcherAgent${osType}'
    typeHandlerVersion: '1.4'
    autoUpgradeMinorVersion: true
    enableAutomaticUpgrade: true
  }
}
