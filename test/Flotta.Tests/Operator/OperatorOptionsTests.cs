using Flotta.Operator;

namespace Flotta.Tests.Operator;

public sealed class OperatorOptionsTests
{
    [Fact]
    public void Nothing_set_means_the_defaults()
    {
        var options = OperatorOptions.FromEnvironment(_ => null);
        options.AutoApproval.ShouldBeFalse();
        options.AutoApprovalNamespaces.ShouldBe(["default"]);
        (options.MetricsAddress, options.ProbeAddress, options.WebhookPort, options.LogLevel).ShouldBe((":8080", ":8081", 9443, "info"));
        (options.EdgeWorkloadConcurrency, options.EdgeConfigConcurrency, options.MaxConcurrentReconciles).ShouldBe((5, 5, 3));
        (options.LeaderElect, options.ObcAutoCreate, options.EnableWebhooks).ShouldBe((false, false, true));
    }

    [Fact]
    public void The_originals_variables_are_read()
    {
        var options = Read(
            ("METRICS_ADDR", ":1"), ("PROBE_ADDR", ":2"), ("LEADER_ELECT", "true"), ("WEBHOOK_PORT", "3"), ("OBC_AUTO_CREATE", "1"), ("LOG_LEVEL", "debug"),
            ("EDGEWORKLOAD_CONCURRENCY", "7"), ("EDGECONFIG_CONCURRENCY", "8"), ("MAX_CONCURRENT_RECONCILES", "9"), ("AUTO_APPROVAL_PROCESS", "True"),
            ("ENABLE_WEBHOOKS", "false"), ("AUTO_APPROVAL_NAMESPACES", " a, b ,"));
        (options.MetricsAddress, options.ProbeAddress, options.WebhookPort, options.LogLevel).ShouldBe((":1", ":2", 3, "debug"));
        (options.EdgeWorkloadConcurrency, options.EdgeConfigConcurrency, options.MaxConcurrentReconciles).ShouldBe((7, 8, 9));
        (options.LeaderElect, options.ObcAutoCreate, options.EnableWebhooks, options.AutoApproval).ShouldBe((true, true, false, true));
        options.AutoApprovalNamespaces.ShouldBe(["a", "b"]);
    }

    [Fact]
    public void An_empty_list_of_namespaces_approves_nowhere() => Read(("AUTO_APPROVAL_NAMESPACES", "")).AutoApprovalNamespaces.ShouldBeEmpty();

    [Fact]
    public void Everything_that_cannot_be_read_is_named_in_one_sentence()
    {
        var error = Should.Throw<FormatException>(() => Read(("LEADER_ELECT", "perhaps"), ("EDGEWORKLOAD_CONCURRENCY", "0"), ("WEBHOOK_PORT", "-1")));
        error.Message.ShouldBe(
            "LEADER_ELECT is 'perhaps', but should be true or false; WEBHOOK_PORT is '-1', but should be a number from 0 to 65535; "
            + "EDGEWORKLOAD_CONCURRENCY is '0', but should be a number from 1 to 1000.");
    }

    private static OperatorOptions Read(params (string Name, string Value)[] variables) =>
        OperatorOptions.FromEnvironment(name => variables.FirstOrDefault(variable => variable.Name == name).Value);
}
