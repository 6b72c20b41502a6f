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
    public Task AnswerAsync(HttpContext http, Wire.Message message, EdgeDevice device)
    {
        IReadOnlyList<Wire.PlaybookTask> tasks = [.. OpenPlaybooks.Of(fleet, device).Select(Task)];
        // The list is text inside the message, escaped as Go escapes JSON.
        var text = JsonSerializer.Serialize(tasks, Wire.WireJson.Types.IReadOnlyListPlaybookTask);
        return Answer.Body(http, Response(message, text), Wire.WireJson.Types.MessageResponse);
    }

    /// <param name="text">A list of playbooks as JSON, which goes into the message as a text.</param>
    public static Wire.MessageResponse Response(Wire.Message message, string text) => new()
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

    private static Wire.PlaybookTask Task(PlaybookExecution playbook) => new()
    {
        Name = playbook.Metadata.Name,
        AnsiblePlaybookString = Encoding.UTF8.GetString(playbook.Spec.Playbook!.Content),
        LastDataUpload = DateTimeOffset.MinValue,
        Uid = playbook.Metadata.Uid,
        Config = OpenPlaybooks.ConfigOf(playbook),
        Index = OpenPlaybooks.IndexOf(playbook),
        Options = Options(playbook, playbook.Spec.Playbook),
    };

    private static Wire.PlaybookOptions? Options(PlaybookExecution execution, Playbook playbook)
    {
        var user = execution.Metadata.Annotations?.TryGetValue(Names.Annotations.User, out var found) == true ? found : null;
        var options = new Wire.PlaybookOptions
        {
            User = user,
            TimeoutSeconds = playbook.TimeoutSeconds,
            Check = playbook.AnsibleOptions?.Check is true ? true : null,
            Become = playbook.PrivilegeEscalationOptions?.Become is true ? true : null,
            BecomeMethod = playbook.PrivilegeEscalationOptions?.BecomeMethod,
            BecomeUser = playbook.PrivilegeEscalationOptions?.BecomeUser,
            CapAdd = playbook.RequiredPrivilegeLevel?.CapAdd,
            CapDrop = playbook.RequiredPrivilegeLevel?.CapDrop,
            ExecutionStrategy = string.IsNullOrEmpty(playbook.ExecutionStrategy) ? null : playbook.ExecutionStrategy,
        };
        return options == new Wire.PlaybookOptions() ? null : options;
    }
}
