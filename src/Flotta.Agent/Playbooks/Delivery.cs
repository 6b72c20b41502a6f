using System.Text.Json;
using Flotta.Wire;
using Flotta.Yggdrasil.Transport;

namespace Flotta.Agent.Playbooks;

/// <summary>The answer to the directive <c>ansible</c>: a message whose content is a text that holds a list.</summary>
internal static class Delivery
{
    /// <summary>Null when it is no such answer.</summary>
    public static IReadOnlyList<PlaybookTask>? Read(Answer answer)
    {
        if (!answer.IsOk)
            return null;
        try
        {
            var response = WireJson.Read(answer.Body.Span, WireJson.Types.MessageResponse);
            if (response.Content is not { ValueKind: JsonValueKind.String } content)
                return null;
            var tasks = JsonSerializer.Deserialize(content.GetString()!, WireJson.Types.IReadOnlyListPlaybookTask) ?? [];
            return [.. tasks.Where(ExecutionPlan.IsWellFormed)];
        }
        catch (Exception exception) when (exception is WireFormatException or JsonException)
        {
            return null;
        }
    }
}
