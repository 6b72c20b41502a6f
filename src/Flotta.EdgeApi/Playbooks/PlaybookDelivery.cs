using System.Globalization;
using System.Text;
using System.Text.Json;
using Flotta.EdgeApi.Fleet;
using Flotta.EdgeApi.Requests;
using Flotta.Resources;
using Microsoft.AspNetCore.Http;

namespace Flotta.EdgeApi.Playbooks;

/// <summary>The directive <c>ansible</c>: the playbooks that a device should run and has not finished; an empty list where there are none.</summary>
internal sealed class PlaybookDelivery(FleetCaches fleet)
{
    /// <summary>More playbooks than one EdgeConfig has.</summary>
    private const int MostPlaybooks = 64;

    public Task AnswerAsync(HttpContext http, Wire.Message message, EdgeDevice device)
    {
        IReadOnlyList<Wire.PlaybookTask> tasks = [.. Open(device).Select(Task)];
        // The list is text inside the message, escaped as Go escapes JSON.
        var text = JsonSerializer.Serialize(tasks, Wire.WireJson.Types.IReadOnlyListPlaybookTask);
        var answer = new Wire.MessageResponse
        {
            Content = Wire.WireJson.ToElement(text, Wire.WireJson.Types.String),
            Directive = message.Directive,
            MessageId = message.MessageId,
            // The agent insists on the last two, and uses neither.
            Metadata = new SortedDictionary<string, string>(StringComparer.Ordinal)
            {
                ["message-id"] = Guid.NewGuid().ToString(),
                ["crc_dispatcher_correlation_id"] = "fake-crc-id",
                ["return_url"] = "return_url",
            },
        };
        return Answer.Body(http, answer, Wire.WireJson.Types.MessageResponse);
    }

    private IEnumerable<PlaybookExecution> Open(EdgeDevice device) =>
        from label in device.Metadata.Labels ?? new Dictionary<string, string>(StringComparer.Ordinal)
        where label.Key.StartsWith(Names.Labels.ConfigPrefix, StringComparison.Ordinal)
        from playbook in Of(device, label.Value)
        where playbook.Spec.Playbook?.Content is { Length: > 0 } && !HasEnded(playbook)
        orderby playbook.Metadata.Name.Length, playbook.Metadata.Name
        select playbook;

    private IEnumerable<PlaybookExecution> Of(EdgeDevice device, string config)
    {
        var first = $"{device.Metadata.Name}-{config}";
        var names = Enumerable.Range(0, MostPlaybooks).Select(index => first + "-" + index.ToString(CultureInfo.InvariantCulture)).Prepend(first);
        return names.Select(name => fleet.Playbooks.Get(device.Metadata.NamespaceProperty, name)).OfType<PlaybookExecution>();
    }

    private static Wire.PlaybookTask Task(PlaybookExecution playbook) => new()
    {
        Name = playbook.Metadata.Name,
        AnsiblePlaybookString = Encoding.UTF8.GetString(playbook.Spec.Playbook!.Content),
        LastDataUpload = DateTimeOffset.MinValue,
    };

    private static bool HasEnded(PlaybookExecution playbook) => playbook.Status?.Conditions?.Any(condition =>
        condition.Type is "SuccessfullyCompleted" or "CompletedWithError" && condition.Status == Names.ConditionStatus.True) == true;
}
