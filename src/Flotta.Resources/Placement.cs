using k8s.Models;

namespace Flotta.Resources;

/// <summary>Which devices a workload concerns. The one place that decides it, for what devices are sent and for what people see.</summary>
public static class Placement
{
    private static readonly Dictionary<string, string> NoLabels = [];

    /// <summary>Whether a workload runs on a device of its own namespace. A workload that is being deleted concerns nobody.</summary>
    public static bool Concerns(EdgeWorkload workload, string deviceName, IReadOnlyDictionary<string, string> labels)
    {
        if (workload.Metadata.DeletionTimestamp is not null) return false;
        if (!string.IsNullOrEmpty(workload.Spec.Device)) return string.Equals(workload.Spec.Device, deviceName, StringComparison.Ordinal);
        return workload.Spec.DeviceSelector is { } selector && Problem(selector) is null && Matches(selector, labels);
    }

    /// <summary>Whether a workload runs on a device; devices of other namespaces and devices that are being deleted run nothing.</summary>
    public static bool Concerns(EdgeWorkload workload, EdgeDevice device) =>
        device.Metadata.DeletionTimestamp is null
        && string.Equals(workload.Metadata.NamespaceProperty, device.Metadata.NamespaceProperty, StringComparison.Ordinal)
        && Concerns(workload, device.Metadata.Name, LabelsOf(device));

    /// <summary>What is wrong with a workload's selector, in a sentence; null when it can be evaluated. One that cannot matches nothing.</summary>
    public static string? Problem(EdgeWorkload workload) =>
        string.IsNullOrEmpty(workload.Spec.Device) && workload.Spec.DeviceSelector is { } selector ? Problem(selector) : null;

    public static IReadOnlyDictionary<string, string> LabelsOf(EdgeDevice device) => device.Metadata.Labels switch
    {
        null => NoLabels,
        IReadOnlyDictionary<string, string> labels => labels,
        var labels => labels.ToDictionary(StringComparer.Ordinal),
    };

    private static string? Problem(V1LabelSelector selector) =>
        selector.MatchExpressions?.Select(Problem).FirstOrDefault(problem => problem is not null);

    private static string? Problem(V1LabelSelectorRequirement expression) => (expression.OperatorProperty, expression.Values?.Count ?? 0) switch
    {
        ("In" or "NotIn", > 0) or ("Exists" or "DoesNotExist", 0) => null,
        ("In" or "NotIn", _) => $"deviceSelector: the operator {expression.OperatorProperty} on '{expression.Key}' needs values",
        ("Exists" or "DoesNotExist", _) => $"deviceSelector: the operator {expression.OperatorProperty} on '{expression.Key}' takes no values",
        _ => $"deviceSelector: '{expression.OperatorProperty}' on '{expression.Key}' is not a valid operator; use In, NotIn, Exists or DoesNotExist",
    };

    private static bool Matches(V1LabelSelector selector, IReadOnlyDictionary<string, string> labels) =>
        (selector.MatchLabels ?? NoLabels).All(pair => string.Equals(Value(labels, pair.Key), pair.Value, StringComparison.Ordinal))
        && (selector.MatchExpressions ?? []).All(expression => Matches(expression, Value(labels, expression.Key)));

    private static bool Matches(V1LabelSelectorRequirement expression, string? value) => expression.OperatorProperty switch
    {
        "In" => value is not null && expression.Values!.Contains(value, StringComparer.Ordinal),
        "NotIn" => value is null || !expression.Values!.Contains(value, StringComparer.Ordinal),
        "Exists" => value is not null,
        "DoesNotExist" => value is null,
        _ => false,
    };

    // The labels that placement itself writes are no ground for placement, otherwise a workload could hold itself in place.
    private static string? Value(IReadOnlyDictionary<string, string> labels, string key) =>
        key.StartsWith(Names.Labels.WorkloadPrefix, StringComparison.Ordinal) ? null : labels.GetValueOrDefault(key);
}
