//! The calls that the sandbox imitates, and the right that each one needs.

/// The calls that the sandbox knows; faults and the journal name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// In a fault: whatever comes next.
    Any,
    /// `POST /{tenant}/oauth2/v2.0/token`
    Token,
    /// `GET /msi/token` at App Service's identity endpoint
    ManagedIdentityToken,
    /// `GET /{tenant}/v2.0/.well-known/openid-configuration`
    OpenIdConfiguration,
    /// `GET /{tenant}/discovery/v2.0/keys`
    Keys,
    /// `GET /common/discovery/instance`
    InstanceDiscovery,
    /// `GET /metadata/endpoints`, which needs no token
    Endpoints,
    /// Watchers of a subscription or of a group.
    ListWatchers,
    /// One watcher.
    GetWatcher,
    /// Captures of a watcher.
    ListCaptures,
    /// One capture.
    GetCapture,
    /// Create a capture.
    PutCapture,
    /// Remove a capture.
    DeleteCapture,
    /// `POST …/stop`
    StopCapture,
    /// `POST …/queryStatus`
    QueryStatus,
    /// `GET …/locations/{region}/operations/{id}`
    OperationStatus,
    /// `GET …/locations/{region}/operationResults/{id}`
    OperationResult,
    /// Virtual machines of a subscription or of a group.
    ListVirtualMachines,
    /// One virtual machine.
    GetVirtualMachine,
    /// A virtual machine's power state and agent.
    GetInstanceView,
    /// A virtual machine's extensions.
    ListExtensions,
    /// One scale set.
    GetScaleSet,
    /// Instances of a scale set.
    ListScaleSetInstances,
    /// One instance of a scale set.
    GetScaleSetInstance,
    /// One storage account.
    GetStorageAccount,
    /// The lifecycle rules of a storage account.
    GetManagementPolicy,
    /// One alert.
    GetAlert,
    /// The changes of an alert.
    GetAlertHistory,
    /// `POST …/alerts/{id}/changestate`
    ChangeAlertState,
    /// What the caller may do at a scope.
    ListPermissions,
    /// `POST /providers/Microsoft.ResourceGraph/resources`
    QueryResources,
    /// `GET …/eventtypes/management/values`
    ListActivityLog,
    /// Metrics of a resource.
    ListMetrics,
    /// How a resource is.
    GetAvailability,
    /// `POST …/networkInterfaces/{nic}/effectiveNetworkSecurityGroups`
    EffectiveRules,
    /// `POST …/networkInterfaces/{nic}/effectiveRouteTable`
    EffectiveRoutes,
    /// What one of them has computed.
    EffectiveResult,
    /// Quotas of a region.
    ListUsages,
    /// `GET /{account}/{container}/{blob}`
    GetBlob,
    /// `HEAD /{account}/{container}/{blob}`
    GetBlobProperties,
    /// `PUT /{account}/{container}/{blob}`
    PutBlob,
    /// `DELETE /{account}/{container}/{blob}`
    DeleteBlob,
    /// `PUT /{account}/{container}?restype=container`
    CreateContainer,
    /// `GET /{account}/{container}?restype=container`
    GetContainer,
    /// `GET /{account}/{container}?restype=container&comp=list`
    ListBlobs,
    /// `PUT /{account}/{queue}`
    CreateQueue,
    /// `GET /{account}/{queue}?comp=metadata`
    GetQueue,
    /// `POST /{account}/{queue}/messages`
    PutMessage,
    /// `GET /{account}/{queue}/messages`, a peek too.
    GetMessages,
    /// `DELETE /{account}/{queue}/messages`
    ClearMessages,
    /// `PUT /{account}/{queue}/messages/{id}`
    UpdateMessage,
    /// `DELETE /{account}/{queue}/messages/{id}`
    DeleteMessage,
    /// Nothing the sandbox imitates.
    Unknown,
}

impl Call {
    /// Resource Manager calls need an api-version and a token, the others neither.
    pub(super) fn is_arm(self) -> bool {
        !matches!(
            self,
            Self::Any
                | Self::Token
                | Self::ManagedIdentityToken
                | Self::OpenIdConfiguration
                | Self::Keys
                | Self::InstanceDiscovery
                | Self::Endpoints
                | Self::Unknown
        ) && !self.is_queue()
            && !self.is_blob()
    }

    /// Calls of Blob Storage.
    pub(super) fn is_blob(self) -> bool {
        matches!(
            self,
            Self::GetBlob
                | Self::GetBlobProperties
                | Self::PutBlob
                | Self::DeleteBlob
                | Self::CreateContainer
                | Self::GetContainer
                | Self::ListBlobs
        )
    }

    /// Calls of Queue Storage.
    pub(super) fn is_queue(self) -> bool {
        matches!(
            self,
            Self::CreateQueue
                | Self::GetQueue
                | Self::PutMessage
                | Self::GetMessages
                | Self::ClearMessages
                | Self::UpdateMessage
                | Self::DeleteMessage
        )
    }

    /// The right that the caller's role must hold.
    pub(super) fn action(self) -> &'static str {
        match self {
            Self::ListWatchers | Self::GetWatcher => "Microsoft.Network/networkWatchers/read",
            Self::ListCaptures | Self::GetCapture => {
                "Microsoft.Network/networkWatchers/packetCaptures/read"
            }
            Self::PutCapture => "Microsoft.Network/networkWatchers/packetCaptures/write",
            Self::DeleteCapture => "Microsoft.Network/networkWatchers/packetCaptures/delete",
            Self::StopCapture => "Microsoft.Network/networkWatchers/packetCaptures/stop/action",
            Self::QueryStatus => {
                "Microsoft.Network/networkWatchers/packetCaptures/queryStatus/action"
            }
            Self::OperationStatus => "Microsoft.Network/locations/operations/read",
            Self::OperationResult => "Microsoft.Network/locations/operationResults/read",
            Self::ListVirtualMachines | Self::GetVirtualMachine => {
                "Microsoft.Compute/virtualMachines/read"
            }
            Self::GetInstanceView => "Microsoft.Compute/virtualMachines/instanceView/read",
            Self::ListExtensions => "Microsoft.Compute/virtualMachines/extensions/read",
            Self::GetScaleSet => "Microsoft.Compute/virtualMachineScaleSets/read",
            Self::ListScaleSetInstances | Self::GetScaleSetInstance => {
                "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/read"
            }
            Self::GetStorageAccount => "Microsoft.Storage/storageAccounts/read",
            Self::GetManagementPolicy => {
                "Microsoft.Storage/storageAccounts/managementPolicies/read"
            }
            Self::GetAlert => "Microsoft.AlertsManagement/alerts/read",
            Self::GetAlertHistory => "Microsoft.AlertsManagement/alerts/history/read",
            Self::ChangeAlertState => "Microsoft.AlertsManagement/alerts/changestate/action",
            Self::ListUsages => "Microsoft.Network/locations/usages/read",
            Self::ListPermissions => "Microsoft.Authorization/permissions/read",
            // Resource Graph needs no right of its own: it shows what the caller may read.
            Self::QueryResources => "",
            Self::ListActivityLog => "Microsoft.Insights/eventtypes/values/read",
            Self::ListMetrics => "Microsoft.Insights/metrics/read",
            Self::GetAvailability => "Microsoft.ResourceHealth/availabilityStatuses/read",
            Self::EffectiveRules => {
                "Microsoft.Network/networkInterfaces/effectiveNetworkSecurityGroups/action"
            }
            Self::EffectiveRoutes => {
                "Microsoft.Network/networkInterfaces/effectiveRouteTable/action"
            }
            _ => "",
        }
    }
}
