namespace Flotta.Resources;

/// <summary>The words that manifests, scripts, dashboards and devices agree on. None of them may change.</summary>
public static class Names
{
    public const string Group = "management.project-flotta.io";
    public const string Version = "v1alpha1";
    public const string ApiVersion = Group + "/" + Version;

    /// <summary>Enrolment requests live here, whichever namespace the device asks for.</summary>
    public const string EnrolmentNamespace = "default";

    /// <summary>Where the control plane keeps its own secrets and leases, unless configured otherwise.</summary>
    public const string OperatorNamespace = "flotta";

    public static class Labels
    {
        /// <summary>On an EdgeDevice: approved, but not registered yet.</summary>
        public const string SignedRequest = "edgedeviceSignedRequest";
        public const string MemberOf = "flotta/member-of";
        public const string WorkloadPrefix = "workload/";
        public const string DeviceFactPrefix = "device.";
        public const string Hostname = "device.hostname";
        public const string CpuArchitecture = "device.cpu-architecture";
        public const string CpuModel = "device.cpu-model";
        public const string SystemManufacturer = "device.system-manufacturer";
        public const string SystemProduct = "device.system-product";
        public const string SystemSerial = "device.system-serial";
        public const string ConfigPrefix = "config/";
        public const string DeviceByConfig = "config/device-by-config";
        public const string PodmanPrefix = "podman/";
        public const string RegistrationSecret = "reg-client-ca";
        public const string True = "true";

        /// <summary>On a PlaybookExecution that the Operator made: for which device, and of which EdgeConfig.</summary>
        public const string Device = "flotta/device";
        public const string Config = "flotta/config";

        /// <summary>
        /// The label that tells that a workload is assigned to a device. A label's name has room for 63 characters and an object's for 253,
        /// so a longer name is cut and told apart by a hash of the whole.
        /// </summary>
        public static string Workload(string workloadName) => WorkloadPrefix + LabelValue.Fit(workloadName);
    }

    public static class Annotations
    {
        public const string Revoked = "flotta/revoked";

        /// <summary>On the Lease of an Edge API replica: where other replicas reach it.</summary>
        public const string Address = "flotta/address";

        /// <summary>On a PlaybookExecution: the user that runs it, and that its run is over and done with.</summary>
        public const string User = "flotta/user";
        public const string Done = "flotta/done";

        /// <summary>On a PlaybookExecution: which of its config's playbooks it is.</summary>
        public const string Index = "flotta/index";
        public const string PodmanPrefix = "podman/";
    }

    /// <summary>
    /// One playbook of a config on one device. A later run has a name of its own, so that what a device still says of the earlier one cannot be taken for it.
    /// Names have room for 253 characters; a longer one is cut and told apart by a hash of the whole.
    /// </summary>
    public static string PlaybookExecution(string device, string config, int index, int attempt = 0)
    {
        var whole = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{device}-{config}-{index}");
        if (attempt > 0)
            whole += string.Create(System.Globalization.CultureInfo.InvariantCulture, $"-r{attempt}");
        return whole.Length <= 253 ? whole : LabelValue.Fit(whole);
    }

    /// <summary>
    /// The same where another device's has that name already: store-1 with cam-setup and store-1-cam with setup both come to store-1-cam-setup-0. It still starts with
    /// the device's name, and ends with a hash of what it is made of.
    /// </summary>
    public static string PlaybookExecutionApart(string device, string config, int index, int attempt = 0) =>
        LabelValue.Mark(PlaybookExecution(device, config, index, attempt), string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{device}/{config}/{index}/{attempt}"), 253);

    /// <summary>What the original calls the only one that it makes.</summary>
    public static string FirstPlaybookExecution(string device, string config) => $"{device}-{config}";

    public static class Finalizers
    {
        public const string Device = "device-finalizer";
        public const string Workload = "yggdrasil-device-reference-finalizer";
    }

    public static class EnrolmentConditions
    {
        public const string Pending = "pending";
        public const string Approved = "approved";
        public const string Declined = "declined";
    }

    public static class DeviceConditions
    {
        public const string Connected = "Connected";
        public const string UpToDate = "UpToDate";
        public const string WorkloadsReady = "WorkloadsReady";

        /// <summary>False while the receiver of metrics cannot be reached; there while metrics are sent.</summary>
        public const string MetricsDelivered = "MetricsDelivered";

        /// <summary>False while a log target cannot be reached; there while logs are sent.</summary>
        public const string LogsDelivered = "LogsDelivered";

        /// <summary>And the name of a monitor.</summary>
        public const string AlarmPrefix = "alarm/";
    }

    public static class PlaybookConditions
    {
        public const string Deploying = "Deploying";
        public const string Completed = "Completed";
        public const string Succeeded = "SuccessfullyCompleted";
        public const string Failed = "CompletedWithError";
    }

    public static class ConditionStatus
    {
        public const string True = "True";
        public const string False = "False";
        public const string Unknown = "Unknown";
    }

    public static class WorkloadPhases
    {
        public const string Deploying = "Deploying";
        public const string Running = "Running";
        public const string Exited = "Exited";
    }

    /// <summary>Every Edge API replica renews one Lease in the operator's namespace; its name starts with this and ends with the replica's.</summary>
    public const string EdgeApiLeasePrefix = "flotta-edge-api-";

    /// <summary>The ConfigMap in the operator's namespace that tells people how the Edge API is reached.</summary>
    public const string EdgeApiInfo = "flotta-edge-api-info";

    /// <summary>Reserved on every device for node_exporter.</summary>
    public const int NodeExporterPort = 9100;
}
