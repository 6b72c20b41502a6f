using Flotta.EdgeApi.Requests;
using Flotta.EdgeApi.Statuses;
using Flotta.Resources;
using Flotta.Wire;
using Microsoft.AspNetCore.Http;

namespace Flotta.EdgeApi.Control;

/// <summary>GET control/in: a device that is deleted, or being deleted, is told to disconnect; everybody else is told nothing.</summary>
internal sealed class ControlMessages(TimeProvider time)
{
    public Task AnswerAsync(HttpContext http, EdgeDevice? device)
    {
        if (device?.IsLeaving() == false)
            return Answer.Empty(http);
        EdgeMetrics.Unregistration.Inc();
        var message = Message.Command(new Command { Name = Commands.Disconnect }, time.GetUtcNow());
        return Answer.Body(http, message, WireJson.Types.Message);
    }
}
