// The action group that calls the function, and two example rules.

@description('Part of all names.')
param workload string

@description('Name of the Function App in this resource group.')
param functionAppName string

@description('Resource ids of the monitored machines, all of one region. Empty: no rules.')
param targets array

@description('Their region.')
param targetRegion string

@description('Network Out Total in five minutes, in bytes.')
param networkOutBytes int

@description('Metric namespace of the TCP rule; empty: no such rule.')
param tcpMetricNamespace string

@description('Metric name of the TCP rule.')
param tcpMetricName string

@description('TCP segments in five minutes.')
param tcpSegments int

@description('Tags of all resources.')
param tags object

var functionName = 'AlertPacketCapture'

resource site 'Microsoft.Web/sites@2024-04-01' existing = {
  name: functionAppName
}

resource actionGroup 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-${workload}'
  location: 'Global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'pktcapture'
    azureFunctionReceivers: [
      {
        name: 'packet-capture'
        functionAppResourceId: site.id
        functionName: functionName
        httpTriggerUrl: 'https://${site.properties.defaultHostName}/api/${functionName}?code=${listKeys('${site.id}/host/default', '2024-04-01').functionKeys.default}'
        useCommonAlertSchema: true
      }
    ]
  }
}

resource networkOut 'Microsoft.Insights/metricAlerts@2018-03-01' = if (!empty(targets)) {
  name: 'ar-network-out-${workload}'
  location: 'global'
  tags: tags
  properties: {
    description: 'A machine sends more data than the threshold; its packets are captured.'
    enabled: true
    severity: 3
    scopes: targets
    targetResourceType: 'Microsoft.Compute/virtualMachines'
    targetResourceRegion: targetRegion
    evaluationFrequency: 'PT1M'
    windowSize: 'PT5M'
    autoMitigate: true
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.MultipleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'network-out'
          metricNamespace: 'Microsoft.Compute/virtualMachines'
          metricName: 'Network Out Total'
          operator: 'GreaterThan'
          threshold: networkOutBytes
          timeAggregation: 'Total'
        }
      ]
    }
    actions: [
      {
        actionGroupId: actionGroup.id
      }
    ]
  }
}

// Guest metrics are custom metrics: a rule on them monitors one machine.
resource tcpSegmentsSent 'Microsoft.Insights/metricAlerts@2018-03-01' = [for target in (empty(tcpMetricNamespace) ? [] : targets): {
  name: 'TCP_Segments_Sent_Exceeded-${last(split(target, '/'))}'
  location: 'global'
  tags: tags
  properties: {
    description: 'A machine sends more TCP segments than the threshold; its packets are captured.'
    enabled: true
    severity: 3
    scopes: [
      target
    ]
    evaluationFrequency: 'PT1M'
    windowSize: 'PT5M'
    autoMitigate: true
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'tcp-segments-sent'
          metricNamespace: tcpMetricNamespace
          metricName: tcpMetricName
          operator: 'GreaterThan'
          threshold: tcpSegments
          timeAggregation: 'Total'
          // The machine may not have sent the metric yet.
          skipMetricValidation: true
        }
      ]
    }
    actions: [
      {
        actionGroupId: actionGroup.id
      }
    ]
  }
}]
