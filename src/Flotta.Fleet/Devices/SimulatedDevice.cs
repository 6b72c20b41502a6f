using Flotta.Fleet.Credentials;
using Flotta.Fleet.Transport;
using Flotta.Wire;
using Flotta.Yggdrasil.Credentials;
using Flotta.Yggdrasil.Transport;

namespace Flotta.Fleet.Devices;

/// <summary>
/// One device from enrolment to its end: gets itself a certificate, lives with it, renews it, starts over when it is refused. What it does while it lives is in
/// <see cref="DeviceLife"/>.
/// </summary>
internal sealed class SimulatedDevice(
    string id, int number, EdgeServer server, Identity bootstrap, DeviceSettings settings, IdentityFolder? identities, IFleetLog log)
{
    private static readonly TimeSpan LongestEnrolmentHold = TimeSpan.FromSeconds(60);

    private readonly ServerAddress _address = new(server.Address, server.PathPrefix, id);
    private readonly BackOff _backOff = new(TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(10));
    private readonly BackOff _refused = new(TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(5));
    private Identity? _identity;
    private string? _key;
    private DeviceLife? _life;
    private bool _served;

    public string Id => id;

    public DevicePhase Phase { get; private set; }

    /// <summary>What it holds now; null before the first configuration.</summary>
    public string? Version { get; private set; }

    public bool IsServed => _served;

    public HardwareInfo Hardware => SimulatedHardware.Of(id, number);

    /// <summary>Lives until it is told to stop, or disconnected by its server.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (Phase != DevicePhase.Disconnected)
        {
            var identity = await IdentityAsync(cancellationToken);
            _life ??= new DeviceLife(this, settings, server, log);
            DeviceEnd end;
            using (var link = Open(identity))
                end = await _life.RunAsync(link, identity, cancellationToken);
            Tell(served: end is DeviceEnd.Renewal && _served);
            switch (end)
            {
                case DeviceEnd.Disconnected:
                    Move(DevicePhase.Disconnected);
                    identities?.Forget(id);
                    break;
                case DeviceEnd.Renewal or DeviceEnd.Refused:
                    await RenewAsync(identity, end, cancellationToken);
                    break;
                case DeviceEnd.LinkCut:
                    await Task.Delay(_life.DownFor, server.Time, cancellationToken);
                    break;
            }
        }
    }

    /// <summary>The network goes away for a while.</summary>
    public void CutLink(TimeSpan downFor) => _life?.Cut(downFor);

    public void CalmDown() => _life?.CalmDown();

    /// <summary>Enrols and registers as far as is needed.</summary>
    public async Task<Identity> IdentityAsync(CancellationToken cancellationToken)
    {
        if (Known() is { } own)
            return own;
        using var link = OpenAsNewcomer();
        return await IdentityAsync(link, cancellationToken);
    }

    /// <summary>The same over a link that has the bootstrap certificate and is somebody else's.</summary>
    public async Task<Identity> IdentityAsync(DeviceLink link, CancellationToken cancellationToken)
    {
        link = link.At(_address);
        _key ??= identities?.Key(id) ?? DeviceKey.CreatePem();
        var request = DeviceKey.Request(_key, id);
        Move(DevicePhase.Enrolling);
        while (true)
        {
            var before = Phase;
            var (next, reply) = Phase == DevicePhase.Registering
                ? await RegisterAsync(link, _key, request, cancellationToken)
                : await EnrolAsync(link, request, cancellationToken);
            Move(next);
            if (_identity is { } issued)
                return issued;
            // Approved, or held until now, or about to be: no reason to wait.
            if (reply.Status != 208 && !(next == DevicePhase.Waiting && EnrolmentHold is { } hold && (before == DevicePhase.Enrolling || reply.Took > hold / 2)))
                await Task.Delay(PauseAfter(reply), server.Time, cancellationToken);
        }
    }

    /// <summary>Its certificate, where it has one already.</summary>
    public Identity? Known()
    {
        _identity ??= identities?.Identity(id);
        if (_identity is not null)
            Move(DevicePhase.Registered);
        return _identity;
    }

    /// <summary>A link with the bootstrap certificate, good for the enrolment of any device.</summary>
    public DeviceLink OpenAsNewcomer() => Open(bootstrap);

    public DeviceLink Open(Identity identity) => new(server, _address, identity);

    internal void Tell(bool served)
    {
        if (served == _served)
            return;
        _served = served;
        log.Heard(served);
    }

    internal void Holds(string? version) => Version = version;

    private TimeSpan? EnrolmentHold => settings.Hold is { } hold ? (hold < LongestEnrolmentHold ? hold : LongestEnrolmentHold) : null;

    private TimeSpan PauseAfter(Reply reply) =>
        reply.Status is 400 or 401 or 403 ? _refused.Next() : _backOff.Next(reply.RetryAfter);

    private async Task<(DevicePhase Next, Reply Reply)> EnrolAsync(DeviceLink link, string request, CancellationToken cancellationToken)
    {
        var content = new EnrolmentInfo
        {
            Features = new EnrolmentFeatures { Hardware = Hardware },
            TargetNamespace = settings.Namespace,
            CertificateRequest = settings.OffersKey ? request : null,
        };
        var message = Message.Data(Directives.Enrolment, WireJson.ToElement(content, WireJson.Types.EnrolmentInfo), server.Time.GetUtcNow());
        // As the agent does it: the first answer says that the device waits, the next ones may be held.
        var hold = Phase == DevicePhase.Waiting ? EnrolmentHold : null;
        var reply = await link.PostAsync(
            hold is null ? Reports.RequestKind.Enrolment : Reports.RequestKind.HeldEnrolment, WireJson.Write(message, WireJson.Types.Message), cancellationToken, (int?)hold?.TotalSeconds);
        // Without an answer it stands where it stood.
        return (reply.IsTrouble ? Phase : DevicePhases.AfterEnrolment(reply.Status), reply);
    }

    private async Task<(DevicePhase Next, Reply Reply)> RegisterAsync(DeviceLink link, string key, string request, CancellationToken cancellationToken)
    {
        var content = new RegistrationInfo { Hardware = Hardware, CertificateRequest = request };
        var message = Message.Data(Directives.Registration, WireJson.ToElement(content, WireJson.Types.RegistrationInfo), server.Time.GetUtcNow());
        var reply = await link.PostAsync(Reports.RequestKind.Registration, WireJson.Write(message, WireJson.Types.Message), cancellationToken);
        var next = DevicePhases.AfterRegistration(reply.Status);
        if (next != DevicePhase.Registered)
            return (next, reply);
        try
        {
            var response = WireJson.Read(reply.Body.Span, WireJson.Types.MessageResponse);
            var certificate = WireJson.ReadContent(response.Content, WireJson.Types.RegistrationResponse).Certificate ?? "";
            _identity = Identity.FromPem(certificate, key, "the server's answer", "this device's key");
            identities?.Keep(id, key, certificate);
        }
        catch (Exception unusable) when (unusable is WireFormatException or CredentialException)
        {
            server.Statistics.Failed(Reports.RequestKind.Registration, "unusable certificate");
            return (DevicePhase.Registering, reply);
        }

        _backOff.Reset();
        _refused.Reset();
        return (next, reply);
    }

    /// <summary>A new key and a certificate for it, asked for with the present one; when that is refused for good, back to the start.</summary>
    private async Task RenewAsync(Identity present, DeviceEnd why, CancellationToken cancellationToken)
    {
        var key = DeviceKey.CreatePem();
        using var link = Open(present);
        var (next, reply) = await RegisterAsync(link, key, DeviceKey.Request(key, id), cancellationToken);
        if (next == DevicePhase.Registered)
        {
            _key = key;
            return;
        }

        if (why == DeviceEnd.Refused && !reply.IsTrouble)
        {
            _identity = null;
            Move(DevicePhase.Enrolling);
        }

        await Task.Delay(PauseAfter(reply), server.Time, cancellationToken);
    }

    private void Move(DevicePhase next)
    {
        if (next == Phase)
            return;
        var from = Phase;
        Phase = next;
        log.Moved(from, next);
    }
}
