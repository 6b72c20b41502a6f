using System.Globalization;

namespace Flotta.Operator;

/// <summary>How the Operator works. The environment variables are the original's, so that its ConfigMap configures ours.</summary>
public sealed record OperatorOptions
{
    /// <summary>METRICS_ADDR: where /metrics is served, as ":port" or "address:port".</summary>
    public string MetricsAddress { get; init; } = ":8080";

    /// <summary>PROBE_ADDR: where /healthz and /readyz are served.</summary>
    public string ProbeAddress { get; init; } = ":8081";

    /// <summary>LEADER_ELECT: of several replicas only the holder of a Lease works.</summary>
    public bool LeaderElect { get; init; }

    /// <summary>WEBHOOK_PORT.</summary>
    public int WebhookPort { get; init; } = 9443;

    /// <summary>ENABLE_WEBHOOKS.</summary>
    public bool EnableWebhooks { get; init; } = true;

    /// <summary>WEBHOOK_CERTIFICATES: self-managed, or external where cert-manager or a person keeps the Secret webhook-server-cert.</summary>
    public bool SelfManagedCertificates { get; init; } = true;

    /// <summary>OBC_AUTO_CREATE: an ObjectBucketClaim for every device.</summary>
    public bool ObcAutoCreate { get; init; }

    /// <summary>OBC_STORAGE_CLASS: the provisioner that ObjectBucketClaims ask.</summary>
    public string ObcStorageClass { get; init; } = "openshift-storage.noobaa.io";

    /// <summary>LOG_LEVEL: debug, info, warn, error or fatal.</summary>
    public string LogLevel { get; init; } = "info";

    /// <summary>EDGEWORKLOAD_CONCURRENCY: how many devices are given or relieved of workloads at the same time.</summary>
    public int EdgeWorkloadConcurrency { get; init; } = 5;

    /// <summary>EDGECONFIG_CONCURRENCY.</summary>
    public int EdgeConfigConcurrency { get; init; } = 5;

    /// <summary>MAX_CONCURRENT_RECONCILES: workers of every other loop.</summary>
    public int MaxConcurrentReconciles { get; init; } = 3;

    /// <summary>AUTO_APPROVAL_PROCESS: let every device in that asks for one of <see cref="AutoApprovalNamespaces"/>. The original's default is true.</summary>
    public bool AutoApproval { get; init; }

    /// <summary>AUTO_APPROVAL_NAMESPACES, separated by commas.</summary>
    public IReadOnlyList<string> AutoApprovalNamespaces { get; init; } = ["default"];

    /// <summary>WRITES_PER_SECOND: how fast devices are written to when a workload concerns many of them.</summary>
    public int WritesPerSecond { get; init; } = 200;

    /// <summary>Where the Operator's own Lease and those of the Edge API are.</summary>
    public string OperatorNamespace { get; init; } = Resources.Names.OperatorNamespace;

    /// <summary>Who this replica is; unique among all that could run.</summary>
    public string Identity { get; init; } = $"{Environment.MachineName}-{Guid.NewGuid():N}";

    /// <summary>The least time between two writes of one workload's counts.</summary>
    internal TimeSpan CountsEvery { get; init; } = TimeSpan.FromSeconds(1);

    /// <exception cref="FormatException">One sentence that names every variable that cannot be read.</exception>
    public static OperatorOptions FromEnvironment(Func<string, string?> variable)
    {
        var read = new Variables(variable);
        var options = new OperatorOptions();
        options = options with
        {
            MetricsAddress = read.Text("METRICS_ADDR", options.MetricsAddress),
            ProbeAddress = read.Text("PROBE_ADDR", options.ProbeAddress),
            LeaderElect = read.Flag("LEADER_ELECT", options.LeaderElect),
            WebhookPort = read.Number("WEBHOOK_PORT", options.WebhookPort, 0, 65535),
            EnableWebhooks = read.Flag("ENABLE_WEBHOOKS", options.EnableWebhooks),
            SelfManagedCertificates = read.OneOf("WEBHOOK_CERTIFICATES", "self-managed", "external"),
            ObcAutoCreate = read.Flag("OBC_AUTO_CREATE", options.ObcAutoCreate),
            ObcStorageClass = read.Text("OBC_STORAGE_CLASS", options.ObcStorageClass),
            LogLevel = read.Text("LOG_LEVEL", options.LogLevel),
            EdgeWorkloadConcurrency = read.Number("EDGEWORKLOAD_CONCURRENCY", options.EdgeWorkloadConcurrency, 1, 1000),
            EdgeConfigConcurrency = read.Number("EDGECONFIG_CONCURRENCY", options.EdgeConfigConcurrency, 1, 1000),
            MaxConcurrentReconciles = read.Number("MAX_CONCURRENT_RECONCILES", options.MaxConcurrentReconciles, 1, 1000),
            AutoApproval = read.Flag("AUTO_APPROVAL_PROCESS", options.AutoApproval),
            AutoApprovalNamespaces = read.List("AUTO_APPROVAL_NAMESPACES", options.AutoApprovalNamespaces),
            WritesPerSecond = read.Number("WRITES_PER_SECOND", options.WritesPerSecond, 1, 100_000),
            OperatorNamespace = read.Text("POD_NAMESPACE", options.OperatorNamespace),
            Identity = read.Text("POD_NAME", options.Identity),
        };
        return read.Problems.Count == 0 ? options : throw new FormatException(string.Join("; ", read.Problems) + ".");
    }

    private sealed class Variables(Func<string, string?> variable)
    {
        public List<string> Problems { get; } = [];

        public string Text(string name, string fallback) => variable(name) is { Length: > 0 } text ? text.Trim() : fallback;

        public bool Flag(string name, bool fallback) => Text(name, "") switch
        {
            "" => fallback,
            "1" or "t" or "T" or "true" or "TRUE" or "True" => true,
            "0" or "f" or "F" or "false" or "FALSE" or "False" => false,
            var text => Wrong($"{name} is '{text}', but should be true or false", fallback),
        };

        /// <summary>True for the first, which is the default.</summary>
        public bool OneOf(string name, string first, string second) => Text(name, first) is var text && (text == first || (text != second && Wrong($"{name} is '{text}', but should be {first} or {second}", true)));

        public int Number(string name, int fallback, int least, int most)
        {
            var text = Text(name, "");
            if (text.Length == 0) return fallback;
            return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
                ? number
                : Wrong($"{name} is '{text}', but should be a number from {least} to {most}", fallback);
        }

        public IReadOnlyList<string> List(string name, IReadOnlyList<string> fallback) => variable(name) is { } text
            ? text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            : fallback;

        private T Wrong<T>(string problem, T fallback)
        {
            Problems.Add(problem);
            return fallback;
        }
    }
}
